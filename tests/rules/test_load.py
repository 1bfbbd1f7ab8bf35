"""How rule files override each other, and when their entries are in effect."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from processors.rules.load import load_rules
from tests.rules.conftest import Written

NOON = 1_763_812_800_000


def instant(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).timestamp() * 1_000)


def test_an_entry_changes_what_it_names_and_leaves_the_rest(rule_files: Written) -> None:
    rules = load_rules(rule_files(VA='[[event]]\ntypes = ["Jail"]\nsubtype = "Escape"\nemergency = false\n'))
    here, elsewhere = (rules.rule_set(state, NOON).codes["Jail", "Escape"] for state in ("VA", "NC"))
    assert not here.emergency
    assert elsewhere.emergency
    assert (here.status, here.location, here.notification_types) == (elsewhere.status, elsewhere.location, elsewhere.notification_types)
    assert rules.rule_set("VA", NOON).codes["Corrections", "Escape"].emergency


@pytest.mark.parametrize("name", ["default", "our-own", "extra.2027"])
def test_a_file_of_another_name_binds_everybody(rule_files: Written, name: str) -> None:
    rules = load_rules(rule_files(**{name: '[[event]]\ntypes = ["Jail"]\nsubtype = "Furlough"\nemergency = true\n'}))
    assert all(rules.rule_set(state, NOON).codes["Jail", "Furlough"].emergency for state in ("VA", "NC", "", "GU"))


def test_a_file_may_list_whom_it_binds(rule_files: Written) -> None:
    rules = load_rules(
        rule_files(south='jurisdictions = ["VA", "NC"]\n[[event]]\ntypes = ["Jail"]\nsubtype = "Furlough"\nemergency = true\n')
    )
    assert {state for state in rules.jurisdictions if rules.rule_set(state, NOON).codes["Jail", "Furlough"].emergency} == {"VA", "NC"}


def test_a_file_named_for_a_state_may_bind_everybody(rule_files: Written) -> None:
    rules = load_rules(rule_files(va='jurisdictions = "all"\n[[event]]\ntypes = ["Jail"]\nsubtype = "Furlough"\nemergency = true\n'))
    assert rules.rule_set("NC", NOON).codes["Jail", "Furlough"].emergency


def test_the_jurisdiction_s_own_file_beats_one_for_everybody(rule_files: Written) -> None:
    files = rule_files(
        zz_everybody='[[event]]\ntypes = ["Jail"]\nsubtype = "Furlough"\nemergency = true\nmeaning = "for all"\n',
        VA='[[event]]\ntypes = ["Jail"]\nsubtype = "Furlough"\nemergency = false\n',
    )
    code = load_rules(files).rule_set("VA", NOON).codes["Jail", "Furlough"]
    assert not code.emergency
    assert code.meaning == "for all"


def test_a_file_for_everybody_does_not_take_a_state_s_own_zone(rule_files: Written) -> None:
    rules = load_rules(rule_files(default='[[zone]]\nzone = "America/Denver"\n'))
    assert rules.rule_set("VA", NOON).zone.key == "America/New_York"
    assert rules.rule_set("", NOON).zone.key == "America/Denver"


def test_a_new_jurisdiction_is_a_file(rule_files: Written) -> None:
    rules = load_rules(rule_files(fm='[[jurisdiction]]\nname = "Micronesia"\n[[zone]]\nzone = "Pacific/Pohnpei"\n'))
    assert rules.rule_set("FM", NOON).zone.key == "Pacific/Pohnpei"
    assert rules.jurisdictions["FM"].name == "Micronesia"
    assert not rules.member("FM")


def test_withdrawn_takes_an_entry_out_of_force(rule_files: Written) -> None:
    rules = load_rules(rule_files(VA='[[event]]\ntypes = ["Jail"]\nsubtype = "Furlough"\nwithdrawn = true\n'))
    assert rules.rule_set("VA", NOON).code("Jail", "Furlough") is None
    assert rules.rule_set("VA", NOON).code("Corrections", "Furlough") is not None
    assert rules.rule_set("NC", NOON).code("Jail", "Furlough") is not None


def test_synonyms_add_to_those_there(rule_files: Written) -> None:
    rule_set = load_rules(rule_files(VA='[[status]]\nname = "Incarcerated"\nsynonyms = ["DOC Resident"]\n')).rule_set("VA", NOON)
    found = {rule_set.status(text) for text in ("doc resident", "In Custody", "Incarcerated")}
    assert len(found) == 1
    assert None not in found


def test_other_lists_are_replaced(rule_files: Written) -> None:
    rule_set = load_rules(rule_files(VA='[[status]]\nname = "incarcerated"\nnext = ["Released"]\n')).rule_set("VA", NOON)
    status = rule_set.status("Incarcerated")
    assert status is not None
    assert status.next == ("Released",)


def test_an_added_status_says_what_it_comes_after(rule_files: Written) -> None:
    text = '[[status]]\nname = "House Arrest"\nafter = ["Incarcerated"]\nnext = ["Released"]\n'
    rule_set = load_rules(rule_files(VA=text)).rule_set("VA", NOON)
    before, added = rule_set.status("In Custody"), rule_set.status("house arrest")
    assert before is not None
    assert added is not None
    assert before.next[-1] == "House Arrest"
    assert "Escapee" in before.next
    assert added.next == ("Released",)


def test_entries_begin_and_end_at_midnight_in_the_jurisdiction_s_zone(rule_files: Written) -> None:
    text = '[[event]]\ntypes = ["Jail"]\nsubtype = "Furlough"\nemergency = true\nfrom = 2026-03-08\nuntil = 2026-11-01\n'
    rules = load_rules(rule_files(summer=text))
    for state, zone in (("VA", "America/New_York"), ("HI", "Pacific/Honolulu"), ("PR", "America/Puerto_Rico"), ("AZ", "America/Phoenix")):
        for moment, emergency in (
            ("2026-03-07T23:59:59", False),
            ("2026-03-08T00:00:00", True),
            ("2026-11-01T23:59:59", True),
            ("2026-11-02T00:00:00", False),
        ):
            assert rules.rule_set(state, instant(moment, zone)).codes["Jail", "Furlough"].emergency is emergency, (state, moment)


def test_one_entry_after_another(rule_files: Written) -> None:
    text = """
    [[zone]]
    zone = "America/New_York"
    until = 2026-12-31

    [[zone]]
    zone = "America/Chicago"
    from = 2027-01-01
    """
    rules = load_rules(rule_files(VI=text))
    assert rules.rule_set("VI", instant("2026-06-01")).zone.key == "America/New_York"
    assert rules.rule_set("VI", instant("2027-06-01")).zone.key == "America/Chicago"


def test_a_dated_entry_leaves_the_earlier_layer_in_effect_on_other_days(rule_files: Written) -> None:
    rules = load_rules(rule_files(VA='[[event]]\ntypes = ["Jail"]\nsubtype = "Escape"\nwithdrawn = true\nfrom = 2030-01-01\n'))
    assert rules.rule_set("VA", instant("2029-12-31T12:00:00")).code("Jail", "Escape") is not None
    assert rules.rule_set("VA", instant("2030-01-02T12:00:00")).code("Jail", "Escape") is None


def test_a_name_beats_another_s_synonym(rule_files: Written) -> None:
    rule_set = load_rules(rule_files(VA='[[status]]\nname = "Parole"\nafter = ["Incarcerated"]\n')).rule_set("VA", NOON)
    found = rule_set.status("PAROLE")
    assert found is not None
    assert found.name == "Parole"


def test_the_version_is_the_files_(rule_files: Written) -> None:
    one = load_rules(rule_files(VA='[[event]]\ntypes = ["Jail"]\nsubtype = "Escape"\nemergency = false\n')).version
    again = load_rules(rule_files()).version
    other = load_rules(rule_files(VA='[[event]]\ntypes = ["Jail"]\nsubtype = "Escape"\nemergency = true\n')).version
    assert one == again
    assert len({one, other, load_rules().version}) == 3


def test_a_rule_set_is_built_once(rule_files: Written) -> None:
    rules = load_rules(rule_files())
    assert rules.rule_set("VA", NOON) is rules.with_policies([]).rule_set("VA", NOON + 1)
    assert rules.rule_set("XX", NOON) is rules.rule_set("YY", NOON)


def test_every_section_s_entries_can_be_asked_for(rule_files: Written) -> None:
    rule_set = load_rules(rule_files(VA='[[jurisdiction]]\nvictim_authority = "Somebody"\n')).rule_set("VA", NOON)
    assert rule_set.entries["jurisdiction"][""].victim_authority == "Somebody"
    assert rule_set.name == "Virginia"
    assert ("Jail", "Escape") in rule_set.entries["event"]
