"""Loaded by the tool that makes the component: imports the actor's module and makes what the component exports."""

import importlib

from theater import host, surroundings
from theater.actor import Actor, Runner, reason, warm_up

surroundings.prepare()


def _class_in(module):
    found = [value for value in vars(module).values()
             if isinstance(value, type) and issubclass(value, Actor) and value is not Actor and value.__module__ == module.__name__]
    if len(found) != 1:
        names = ", ".join(kind.__name__ for kind in found) or "none"
        raise SystemExit(f"{module.__name__}.py: one class must derive from theater.Actor; there is {names}")
    return found[0]


def load(name):
    """The class that the component exports, for the actor in the module `name`."""
    from componentize_py_types import Err  # pylint: disable=import-outside-toplevel
    runner = Runner(_class_in(importlib.import_module(name)))

    warm_up(runner)

    def guarded(function, *arguments):
        host.begin_turn()
        try:
            return function(*arguments)
        except Exception as error:  # pylint: disable=broad-exception-caught
            raise Err(reason(error).encode("utf-8", "replace").decode()) from None
        finally:
            surroundings.end_turn()

    class Exported:
        def init(self, config):
            return guarded(runner.init, config)

        def handle(self, input, state):
            return guarded(runner.handle, input, state)

        def verify_state(self, state):
            host.begin_turn()
            return runner.verify(state)

    return Exported


finish = surroundings.finish
