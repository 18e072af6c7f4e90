"""What a caller of the service can be told; subclasses are split by remedy."""


class PoolingError(Exception):
    """A refusal whose message names place, value and remedy; ``code`` is stable and documented in docs/errors.md."""

    code = "refused"


class BadInput(PoolingError):
    """The data must be corrected by whoever sent it."""

    code = "bad-input"


class NotFound(PoolingError):
    """Nothing is known by the given name; the message lists what is."""

    code = "not-found"


class PlanRefused(PoolingError):
    """The judge found a rule broken in a plan; nothing was stored. The fault is ours: report it with the message."""

    code = "plan-refused"


class BadSetting(PoolingError):
    """A setting, policy or mapping file must be corrected by whoever runs the service."""

    code = "bad-setting"
