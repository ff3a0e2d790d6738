"""A program that delivers webhooks until it is killed: `python -m …sending_process URL`."""

import sys
import time

from api.webhooks.deliverer import Deliverer
from api.webhooks.sending import Sender
from api.workspace import Workspace
from store.location import Location
from tests.api.webhooks.selling import LOCAL

if __name__ == "__main__":
    with Workspace.open(Location.parse(sys.argv[1])) as store, Deliverer(store, Sender(LOCAL)):
        time.sleep(60)
