"""A client at the broker in the container, with a certificate: says what it is given, or tells what it hears.

`python -m tests.system.mqtt_client CA PEM KEY PORT say`: lines of JSON, topic and payload in hex, on standard input.
`... listen TOPIC...`: `ready`, then a line of JSON, topic and payload in hex, for each message until the input ends.
"""

from __future__ import annotations

import json
import ssl
import sys
import threading

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion


def main() -> None:
    """Do the one or the other."""
    ca, pem, key, port, what, *rest = sys.argv[1:]
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(pem, key)
    ready = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.tls_set_context(context)
    client.on_connect = lambda *_: client.subscribe([(topic, 1) for topic in rest]) if rest else ready.set()
    client.on_subscribe = lambda *_: (print("ready", flush=True), ready.set())  # by the thread that tells what comes
    client.on_message = lambda _c, _u, one: print(json.dumps([one.topic, one.payload.hex()]), flush=True)
    client.connect("localhost", int(port))
    client.loop_start()
    if not ready.wait(20):
        raise SystemExit("the broker doesn't let this client in")
    if what == "listen":
        sys.stdin.read()
    for line in sys.stdin if what == "say" else ():
        topic, payload = json.loads(line)
        client.publish(topic, bytes.fromhex(payload), qos=1).wait_for_publish(20)
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    main()
