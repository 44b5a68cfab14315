"""Compiled loops that share themselves out among threads run one at a time."""

import threading

ONE = threading.Lock()  # not every threading layer lets two threads start parallel loops at once
