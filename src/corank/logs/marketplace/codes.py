"""Codes of domains and actions."""

SEARCH, REC, SHOP, DIRECT = 0, 1, 2, 3
DOMAINS = ("search", "rec", "shop", "direct")
"""Names by code. Events without a request (from the cart, a bookmark, a link) are direct."""

CLICK, CART, PURCHASE = 0, 1, 2
ACTIONS = ("click", "cart", "purchase")
