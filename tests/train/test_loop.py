import json
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
import torch

from personae import InputError
from personae.data.one_writer import one_writer_in
from personae.errors import OutputError
from personae.train import loop
from personae.train.loop import CHECKPOINT, LOG, learning_rate, seed_of, train
from personae.train.plan import Plan
from tests.data.small_faces import room_for
from tests.train.lessons import Line

PLAN = Plan(steps=40, learning_rate=0.05, validate_every=8, accumulate=2)


def weights(lesson):
    return torch.cat([weight.flatten() for weight in lesson.module.state_dict().values()])


def test_training_lowers_the_loss_and_returns_a_look_at_each_validation():
    looks = train(Line(), PLAN)
    assert [look.step for look in looks] == [8, 16, 24, 32, 40]
    assert looks[-1].loss < looks[0].loss / 2


@pytest.mark.parametrize("stop_at", [0, 7, 8, 21, 39])
def test_an_interrupted_run_goes_on_to_the_same_weights(tmp_path, stop_at):
    whole = Line()
    looks = train(whole, PLAN)
    with pytest.raises(KeyboardInterrupt):
        train(Line(stop_at=stop_at), PLAN, folder=tmp_path)
    again = Line()
    assert train(again, PLAN, folder=tmp_path) == looks
    assert torch.equal(weights(again), weights(whole))


@pytest.mark.parametrize("stop_at", [5, 17, 18, 33])
def test_a_run_with_one_look_at_its_end_goes_on_where_it_was(tmp_path, stop_at, monkeypatch):
    plan = replace(PLAN, validate_every=PLAN.steps)
    monkeypatch.setattr(loop, "KEPT_EVERY", 5)
    whole = Line()
    looks = train(whole, plan)
    with pytest.raises(KeyboardInterrupt):
        train(Line(stop_at=stop_at), plan, folder=tmp_path)
    steps = []
    again = Line()
    assert train(again, plan, folder=tmp_path, progress=lambda done, _: steps.append(done)) == looks
    assert torch.equal(weights(again), weights(whole))
    assert steps[0] == stop_at // 6 * 6 + 1  # of five and more, the next whose gradients are all added up


def test_the_log_holds_a_line_a_look(tmp_path):
    looks = train(Line(), PLAN, folder=tmp_path)
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert [line["score"] for line in lines] == [look.score for look in looks]


def test_the_module_is_left_with_the_weights_of_its_best_look():
    long, short = Line(grades=[1.0, 0.5, 0.4, 0.3, 0.2]), Line()
    train(long, replace(PLAN, milestones=()))
    train(short, replace(PLAN, steps=8, milestones=()))
    assert torch.equal(weights(long), weights(short))


def test_training_stops_when_the_score_no_longer_rises():
    looks = train(Line(grades=[0.5, 0.6, 0.5, 0.4, 0.3]), replace(PLAN, patience=2))
    assert [look.step for look in looks] == [8, 16, 24, 32]


def test_gradients_of_several_batches_add_up_to_the_gradient_of_one_large_batch():
    class Doubled(Line):
        def loss(self, step, device):
            return (super().loss(2 * step, device) + super().loss(2 * step + 1, device)) / 2

    plan = replace(PLAN, steps=8, milestones=(), validate_every=8)
    small, large = Line(), Doubled()
    small.module[2].p = large.module[2].p = 0.0
    train(small, plan)
    train(large, replace(plan, steps=4, accumulate=1, validate_every=4))
    assert torch.allclose(weights(small), weights(large), atol=1e-6)


def test_the_learning_rate_follows_the_schedule():
    step = Plan(steps=100, learning_rate=1.0)
    assert [learning_rate(step, at) for at in (0, 49, 50, 80, 90)] == pytest.approx([1, 1, 0.1, 0.01, 0.001])
    cosine = Plan(steps=110, learning_rate=1.0, schedule="cosine", warmup=10)
    assert [learning_rate(cosine, at) for at in (0, 9, 10, 60, 110)] == pytest.approx([0.1, 1, 1, 0.5, 0])


def test_steps_and_processes_have_seeds_of_their_own():
    assert (
        len({seed_of(seed, step, rank) for seed in range(3) for step in range(50) for rank in range(4)}) == 600
    )


def test_a_loss_that_is_not_finite_is_refused():
    lesson = Line()
    with torch.no_grad():
        lesson.module[0].weight.fill_(float("nan"))
    with pytest.raises(InputError, match="loss is nan at step 0; lower the learning rate"):
        train(lesson, PLAN)


def test_a_checkpoint_of_another_plan_or_a_damaged_one_is_refused(tmp_path):
    train(Line(), PLAN, folder=tmp_path)
    with pytest.raises(InputError, match="another plan"):
        train(Line(), replace(PLAN, seed=1), folder=tmp_path)
    (tmp_path / CHECKPOINT).write_bytes((tmp_path / CHECKPOINT).read_bytes()[:100])
    with pytest.raises(InputError, match="no checkpoint of this model"):
        train(Line(), PLAN, folder=tmp_path)


def test_a_full_disk_leaves_the_last_checkpoint_and_says_so(tmp_path):
    class Filled(Line):
        def loss(self, step, device):
            if step == 8:
                limits.enter_context(room_for(1000))
            return super().loss(step, device)

    with ExitStack() as limits, pytest.raises(OutputError, match=r"cannot write .*checkpoint\.pt.*make room"):
        train(Filled(), PLAN, folder=tmp_path)
    assert len((tmp_path / LOG).read_text().splitlines()) == 1
    assert [look.step for look in train(Line(), PLAN, folder=tmp_path)] == [8, 16, 24, 32, 40]


def test_numbers_of_numpy_are_as_good_as_others(tmp_path):
    plan = replace(PLAN, steps=np.int64(40), learning_rate=np.float64(0.05), weight_decay=np.float64(1e-5))
    looks = train(Line(), replace(plan, seed=np.int64(3)), folder=tmp_path)
    assert train(Line(), replace(PLAN, seed=3), folder=tmp_path) == looks
    assert seed_of(np.int32(5000), 7) == seed_of(5000, 7)


def test_two_trainings_do_not_share_a_folder(tmp_path):
    with one_writer_in(tmp_path), pytest.raises(OutputError, match="is in use by process"):
        train(Line(), PLAN, folder=tmp_path)
    train(Line(), PLAN, folder=tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [CHECKPOINT, LOG]


def test_a_plan_needs_steps_and_whole_accumulations():
    with pytest.raises(InputError, match="multiple"):
        Plan(steps=10, accumulate=3, validate_every=10)
    with pytest.raises(InputError, match="at least 1"):
        Plan(steps=0)


def test_half_precision_learns_too():
    looks = train(Line(), replace(PLAN, precision="bfloat16"))
    assert looks[-1].loss < looks[0].loss / 2


def _one_of_two(rank, folder):
    from torch import distributed

    store = distributed.FileStore(str(folder / "store"), 2)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=2)
    lesson = Line()
    lesson.module[2].p = 0.0
    train(lesson, replace(PLAN, steps=4, accumulate=1, validate_every=4, milestones=()))
    torch.save(weights(lesson), folder / f"{rank}.pt")


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_both_batches(tmp_path):
    torch.multiprocessing.spawn(_one_of_two, args=(tmp_path,), nprocs=2)
    alone = Line()
    alone.module[2].p = 0.0
    train(alone, replace(PLAN, steps=8, milestones=(), validate_every=8))
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    assert torch.equal(first, second)
    assert torch.allclose(first, weights(alone), atol=1e-6)
