"""What can go wrong in hearing and speaking; every message is a sentence of this project with what to do."""


class SpeechError(Exception):
    """Something about speech that can't be done; the subclass says whose move it is."""


class AudioError(SpeechError):
    """The recording that was given can't be used."""


class AudioTooLong(AudioError):
    """The recording is larger or longer than is accepted."""


class UnknownLanguage(SpeechError):
    """A language that the recogniser does not know."""


class UnknownVoice(SpeechError):
    """A voice that isn't there; the message lists those that are."""


class NothingToSpeak(SpeechError):
    """A text without anything that can be spoken."""


class SpeechUnavailable(SpeechError):
    """A package, program or set of weights is missing; the message says how to get it."""


class WeightsMissing(SpeechUnavailable):
    """Weights could not be fetched; the message may name folders of this machine."""


class SpeechBusy(SpeechError):
    """Too many others are waiting already; later it may work."""


class SpeechFailed(SpeechError):
    """A program that speaks ended or took too long."""


class Cancelled(Exception):
    """Whoever asked has gone, so nobody waits for this."""
