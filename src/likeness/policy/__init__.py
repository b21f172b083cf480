"""What may be done: rules in Cedar, in packs that the operator enables."""

from likeness.policy import enabled, suspensions
from likeness.policy.circumstances import Circumstances, Footage, Notice
from likeness.policy.enabled import EnabledPack
from likeness.policy.engine import PolicyEngine
from likeness.policy.in_force import RulesInForce, count_use, is_set_back, uses_of_day
from likeness.policy.pack import ChosenPack, Pack, read_pack, shipped
from likeness.policy.pack_rules import PackRule
from likeness.policy.suspensions import STOP_SWITCH, Scope, Suspension
from likeness.policy.vocabulary import UNKNOWN, known, nearest, require_known, vocabulary

__all__ = [
    "STOP_SWITCH",
    "UNKNOWN",
    "ChosenPack",
    "Circumstances",
    "EnabledPack",
    "Footage",
    "Notice",
    "Pack",
    "PackRule",
    "PolicyEngine",
    "RulesInForce",
    "Scope",
    "Suspension",
    "count_use",
    "enabled",
    "is_set_back",
    "known",
    "nearest",
    "read_pack",
    "require_known",
    "shipped",
    "suspensions",
    "uses_of_day",
    "vocabulary",
]
