"""Loaded by the tool that makes the component: imports the actor's module and makes what the component exports."""

import importlib
import importlib.util
import os
import sys

from theater import host, surroundings
from theater.actor import Actor, Runner, reason, warm_up

surroundings.prepare()


def _shown(name):
    """What the tool prints when the project cannot be loaded: its own frames alone, with paths as they are in the project."""
    def show(kind, error, trace):
        import traceback  # pylint: disable=import-outside-toplevel
        shown = traceback.TracebackException(kind, error, trace)
        folder = os.path.dirname(importlib.util.find_spec(name).origin)
        while shown.stack and not shown.stack[0].filename.startswith(f"{folder}/"):
            del shown.stack[0]
        lines = shown.format() if shown.stack else shown.format_exception_only()
        sys.stderr.write("".join(lines).replace(f'"{folder}/', '"'))
    return show


def _class_in(module):
    found = [value for value in vars(module).values()
             if isinstance(value, type) and issubclass(value, Actor) and value is not Actor and value.__module__ == module.__name__]
    if len(found) != 1:
        names = ", ".join(kind.__name__ for kind in found) or "none"
        raise TypeError(f"{module.__name__}.py: one class must derive from theater.Actor; there is {names}")
    return found[0]


def load(name):
    """The class that the component exports, for the actor in the module `name`."""
    from componentize_py_types import Err  # pylint: disable=import-outside-toplevel
    before, sys.excepthook = sys.excepthook, _shown(name)
    runner = Runner(_class_in(importlib.import_module(name)))

    warm_up(runner)
    sys.excepthook = before

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
