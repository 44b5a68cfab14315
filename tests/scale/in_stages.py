"""What tests of stages on disk share."""

import pickle

MEMORY = 8 << 30
ALL = ["cells", "knn", "links", "labels"]


def quiet(name, done, total):
    pass


def fresh(ran):
    return [name for name, stage in ran.items() if stage.fresh]


class Elsewhere:
    """Like other machines: shards in any order, and nothing but files is shared."""

    apart = True

    def run(self, work, shards, memory):
        for shard in reversed(shards):
            there, of = pickle.loads(pickle.dumps((work, shard)))
            yield shard, there(of)
