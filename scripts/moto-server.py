"""Starts moto for the tests of the store: `moto-server.py <port>`.

By itself, moto answers requests side by side without a lock, so that a cancelled transaction undoes the writes of others. And it
copies the whole table with every item for each transaction, so that a few thousand items take seconds. Here, requests are answered
one after the other, and a transaction copies only the items that it may change.
"""

import copy
import sys
from collections import defaultdict

from moto.dynamodb.models.table import Table
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple

get_item = Table.get_item


def snapshot(table, memo):
    """A table that shares its items with the original."""
    twin = copy.copy(table)
    twin.items = defaultdict(dict, {key: dict(rows) for key, rows in table.items.items()})
    return twin


def get_own_item(table, hash_key, range_key=None, projection_expression=None):
    """An item that no snapshot shares: moto changes what this returns in place."""
    rows = table.items.get(hash_key, {})
    if range_key in rows:
        rows[range_key] = copy.deepcopy(rows[range_key])
    return get_item(table, hash_key, range_key, projection_expression)


Table.__deepcopy__ = snapshot
Table.get_item = get_own_item

app = DomainDispatcherApplication(create_backend_app)
run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=False, request_handler=MotoRequestHandler)
