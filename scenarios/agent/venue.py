"""Binance Spot as the agent sees it: four signed requests and a price, with Python's standard library alone."""
import hashlib
import hmac
import http.client
import json
import time
import urllib.parse

TIMEOUT = 1.0  # seconds for an answer
UNKNOWN_ORDER = (-2011, -2013)


class Unknown(Exception):
    """Nobody has said what became of the request."""


class Refused(Exception):
    """The venue has said no: nothing was done."""

    def __init__(self, status, code, text, retry_after):
        super().__init__(f"{status} {code} {text}")
        self.code = code
        self.retry_after = retry_after  # seconds


class Venue:
    def __init__(self, url, key, secret):
        self.place_of = urllib.parse.urlsplit(url)
        self.key = key
        self.secret = secret.encode()

    def request(self, method, path, params):
        connection = http.client.HTTPConnection(self.place_of.hostname, self.place_of.port, timeout=TIMEOUT)
        try:
            connection.request(method, f"{path}?{urllib.parse.urlencode(params)}", headers={"X-MBX-APIKEY": self.key})
            answer = connection.getresponse()
            body = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as why:
            raise Unknown(f"{type(why).__name__}: {why}") from why
        finally:
            connection.close()
        if answer.status >= 500:
            raise Unknown(f"{answer.status}")
        if answer.status != 200:
            retry_after = float(answer.headers.get("Retry-After", 0))
            raise Refused(answer.status, body.get("code"), body.get("msg"), retry_after)
        return body

    def signed(self, method, path, **params):
        params["timestamp"] = int(time.time() * 1000)
        query = urllib.parse.urlencode(params)
        params["signature"] = hmac.new(self.secret, query.encode(), hashlib.sha256).hexdigest()
        return self.request(method, path, params)

    def price(self, symbol):
        return float(self.request("GET", "/api/v3/ticker/price", {"symbol": symbol})["price"])

    def place(self, symbol, client_id, qty, price):
        self.signed("POST", "/api/v3/order", symbol=symbol, side="BUY", type="LIMIT", timeInForce="GTC",
                    quantity=qty, price=f"{price:.2f}", newClientOrderId=client_id)

    def is_open(self, symbol, client_id):
        try:
            order = self.signed("GET", "/api/v3/order", symbol=symbol, origClientOrderId=client_id)
        except Refused as why:
            if why.code in UNKNOWN_ORDER:
                return False
            raise
        return order["status"] in ("NEW", "PARTIALLY_FILLED")

    def cancel(self, symbol, client_id):
        try:
            self.signed("DELETE", "/api/v3/order", symbol=symbol, origClientOrderId=client_id)
        except Refused as why:
            if why.code not in UNKNOWN_ORDER:  # it is gone already
                raise
