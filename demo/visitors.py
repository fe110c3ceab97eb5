"""Visitors of the shop: a few requests a second, now and then an order."""
import itertools
import time
import urllib.error
import urllib.request

for number in itertools.count():
    order = number % 10 == 0
    path = "/api/orders" if number % 2 == 0 else "/"
    try:
        request = urllib.request.Request("http://web" + path, method="POST" if order else "GET")
        urllib.request.urlopen(request, timeout=5).read()
    except (urllib.error.URLError, OSError):
        time.sleep(1)
    time.sleep(0.25)
