"""The agent as it was before its scenario.  It looks right, and is, as long as every order is answered."""
from agent import QTY, SYMBOL, Agent, main, say, uuid


class Before(Agent):
    def place(self, price):
        client_id = f"agent-{uuid.uuid4().hex[:20]}"
        self.venue.place(SYMBOL, client_id, QTY, price)  # no answer: the next step sends another one
        self.bid = (client_id, price)
        say(f"bid {price:.2f}")


if __name__ == "__main__":
    main(Before)
