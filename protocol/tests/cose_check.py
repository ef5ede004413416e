"""Verifies objects with libraries that are not ours: one JSON object a line of standard input, {"object", "public"} in hex.

Each must be a COSE_Sign1 that pycose verifies under the key, with exactly the headers of the specification and a payload in
CBOR's core deterministic encoding, which cbor2 writes again to the same bytes; and none may verify once a bit of its
payload has changed. Prints how many there were.
"""

import json
import sys

import cbor2
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import Sign1Message

ALG, TYP = 1, 16

count = 0
for line in sys.stdin:
    given = json.loads(line)
    bytes_ = bytes.fromhex(given["object"])
    key = OKPKey(crv=Ed25519, x=bytes.fromhex(given["public"]))
    message = Sign1Message.decode(bytes_)
    message.key = key
    assert message.verify_signature(), given["object"]

    tagged = cbor2.loads(bytes_)
    assert tagged.tag == 18, tagged
    protected, unprotected, payload, signature = tagged.value
    headers = cbor2.loads(protected)
    assert list(headers) == [ALG, TYP] and headers[ALG] == -8 and unprotected == {} and len(signature) == 64, headers
    assert headers[TYP].startswith("entente.") and headers[TYP].endswith((".v1.live", ".v1.exercise")), headers
    for part in (protected, payload):
        assert cbor2.dumps(cbor2.loads(part), canonical=True) == part, part.hex()

    tampered = bytearray(payload)
    tampered[-1] ^= 1
    message = Sign1Message.decode(cbor2.dumps(cbor2.CBORTag(18, [protected, {}, bytes(tampered), signature])))
    message.key = key
    assert not message.verify_signature(), "a changed payload still verifies"
    count += 1
print(count)
