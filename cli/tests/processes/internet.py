"""Carries IP packets between TUN devices as badly as it is told.

    internet.py SEED DEVICE…

Each device is a host. Commands come one a line, and are answered with "done":

    at DEVICE ADDRESS    the host has this IPv4 address, and no other
    delay SECONDS        how long each packet travels
    loss SHARE           how many get lost, from 0 to 1
    rate BYTES           what each host may send in a second; what does not fit a fifth of a second is lost
    cut FROM TO          nothing goes from one host to the other any more
    mend FROM TO         it does again
    block-udp DEVICE     no UDP goes to or from the host
    allow-udp DEVICE     it does again
"""

import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
PACKET = 1 << 16
UDP = 17
QUEUE = 0.2  # seconds of a host's rate


def device(name):
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH14x", name.encode(), IFF_TUN | IFF_NO_PI))
    return tun


class Internet:
    def __init__(self, seed, names):
        self.chance = random.Random(seed)
        self.tuns = {name: device(name) for name in names}
        self.names = {tun: name for name, tun in self.tuns.items()}
        self.homes = {}  # address: host
        self.free = dict.fromkeys(names, 0.0)  # when a host's line is free again
        self.travelling = []
        self.count = 0
        self.delay, self.loss, self.rate = 0.0, 0.0, 1e12
        self.cuts, self.no_udp = set(), set()

    def told(self, line):
        word, *args = line.split()
        if word == "at":
            name, address = args
            self.homes = {at: host for at, host in self.homes.items() if host != name}
            self.homes[bytes(map(int, address.split(".")))] = name
        elif word in ("delay", "loss", "rate"):
            setattr(self, word, float(args[0]))
        elif word == "cut":
            self.cuts.add(tuple(args))
        elif word == "mend":
            self.cuts.discard(tuple(args))
        elif word == "block-udp":
            self.no_udp.add(args[0])
        elif word == "allow-udp":
            self.no_udp.discard(args[0])
        else:
            sys.exit(f"no such command: {line}")

    def sent(self, source, packet):
        if packet[0] >> 4 != 4:
            return
        target = self.homes.get(packet[16:20])
        udp = packet[9] == UDP and (source in self.no_udp or target in self.no_udp)
        if target is None or (source, target) in self.cuts or udp or self.chance.random() < self.loss:
            return
        now = time.monotonic()
        begins = max(self.free[source], now)
        if begins - now > QUEUE:
            return
        self.free[source] = begins + len(packet) / self.rate
        self.count += 1
        heapq.heappush(self.travelling, (self.free[source] + self.delay, self.count, target, packet))

    def deliver(self):
        while self.travelling and self.travelling[0][0] <= time.monotonic():
            _, _, target, packet = heapq.heappop(self.travelling)
            try:
                os.write(self.tuns[target], packet)
            except OSError:
                pass  # the host's queue is full, or its device is down

    def drain(self, tun):
        while True:
            try:
                packet = os.read(tun, PACKET)
            except OSError:
                return  # no more for now, or the device is down
            self.sent(self.names[tun], packet)

    def run(self):
        commands = b""
        while True:
            wait = max(0.0, self.travelling[0][0] - time.monotonic()) if self.travelling else None
            for ready in select.select([0, *self.names], [], [], wait)[0]:
                if ready != 0:
                    self.drain(ready)
                    continue
                read = os.read(0, PACKET)
                if not read:
                    return
                *lines, commands = (commands + read).split(b"\n")
                for line in lines:
                    self.told(line.decode())
                    print("done", flush=True)
            self.deliver()


if __name__ == "__main__":
    internet = Internet(sys.argv[1], sys.argv[2:])
    print("done", flush=True)
    internet.run()
