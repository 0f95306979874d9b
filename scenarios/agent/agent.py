"""A small market maker: keeps one bid in the book, 1 % below the price, and moves it when the price has moved.

Reads BINANCE_URL, BINANCE_KEY and BINANCE_SECRET.  Says what it does, a line each.  SIGTERM: cancels its bid and ends.
"""
import os
import signal
import sys
import time
import uuid

from venue import Refused, Unknown, Venue

SYMBOL, QTY = "BTCUSDT", "0.01"
BELOW, MOVED = 0.99, 0.005
PAUSE = 0.05  # seconds between looks at the price


def say(text):
    print(text, flush=True)


class Agent:
    def __init__(self, venue):
        self.venue = venue
        self.bid = None  # (client id, price) of the one that rests in the book
        self.doubt = None  # of one that was sent, and nobody has said what became of it
        self.asked_to_end = False

    def place(self, price):
        self.doubt = (f"agent-{uuid.uuid4().hex[:20]}", price)
        self.settle_doubt(known=False)

    def settle_doubt(self, known=True):
        """Looks for the order before it is sent again, and then under the same id: the venue takes that only once."""
        client_id, price = self.doubt
        if not (known and self.venue.is_open(SYMBOL, client_id)):
            try:
                self.venue.place(SYMBOL, client_id, QTY, price)
            except Refused:
                self.doubt = None
                raise
        self.bid, self.doubt = self.doubt, None
        say(f"bid {price:.2f}")

    def cancel(self):
        self.venue.cancel(SYMBOL, self.bid[0])
        say(f"cancelled {self.bid[1]:.2f}")
        self.bid = None

    def step(self):
        if self.doubt:
            self.settle_doubt()
        if self.asked_to_end:
            if self.bid:
                self.cancel()
            say("goes home")
            sys.exit(0)
        wanted = self.venue.price(SYMBOL) * BELOW
        if self.bid and abs(self.bid[1] / wanted - 1) > MOVED:
            self.cancel()
        if not self.bid:
            self.place(wanted)

    def run(self):
        while True:
            try:
                self.step()
            except Unknown as why:
                say(f"no answer: {why}")
            except Refused as why:
                say(f"refused: {why}, waits {why.retry_after:g} s")
                time.sleep(why.retry_after)
            time.sleep(PAUSE)

    def end(self, *_):
        self.asked_to_end = True


def main(kind):
    agent = kind(Venue(os.environ["BINANCE_URL"], os.environ["BINANCE_KEY"], os.environ["BINANCE_SECRET"]))
    signal.signal(signal.SIGTERM, agent.end)
    agent.run()


if __name__ == "__main__":
    main(Agent)
