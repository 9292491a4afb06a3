"""What must be changed of py-libp2p 0.8.1 for our network, one group of defects per module.

`pubsub` and `router` are its publish and subscribe made anonymous, `peer_streams` keeps them in
touch with peers that come back, `connections` keeps one connection to each, `framing` and `windows`
spare packets and reads, `dialer` dials peers again at once, `host` has encrypted connections alone.
Each module says what it answers and can go when upstream mends that.
"""
