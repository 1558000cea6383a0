"""The synthetic region: a fictional prefecture with planted truth, written as the files its institutions would send."""

from quanmin.synth.region import make_region

__all__ = ["make_region"]
