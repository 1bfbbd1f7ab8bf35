"""A release to another facility is told by its intake (contract §3.1.8, specification §4.1.4.3)."""

from tests.validate.scene import Scene, cancel, event, intake, jail_release, jailed, ms, outcome_of


def test_the_specifications_jail_release_then_prison_intake_is_one_notification_from_corrections() -> None:
    scene = Scene()
    scene.receive(jailed())
    release = scene.receive(jail_release("2026-11-20 08:00"))
    assert outcome_of(release) == ("waiting", "transfer_hold")
    assert '"State Prison"' in release.detail
    scene.receive(intake("2026-11-20 09:00"))
    assert scene.told == ["Intake", "Intake"]
    assert scene.confirmed[-1].event_type == "Corrections"
    assert outcome_of(scene.verdict(release.message_id)) == ("suppressed", "told_by_intake")
    assert "Intake of 2026-11-20 09:00 EST" in scene.verdict(release.message_id).detail
    assert scene.timers == {}
    scene.until(ms("2026-11-22 00:00"))
    assert scene.told == ["Intake", "Intake"]


def test_prison_intake_then_jail_release_is_one_notification_too() -> None:
    scene = Scene()
    scene.receive(jailed())
    scene.receive(intake("2026-11-20 09:00"))
    release = scene.receive(jail_release("2026-11-20 08:00", received="2026-11-20 09:05"))
    assert outcome_of(release) == ("suppressed", "told_by_intake")
    assert scene.told == ["Intake", "Intake"]
    assert [each.status for each in scene.known.history] == ["Incarcerated", "Incarcerated"]


def test_a_release_whose_intake_never_comes_is_told_after_the_hold_and_applied() -> None:
    scene = Scene()
    scene.receive(jailed())
    release = scene.receive(jail_release("2026-11-20 08:00"))
    scene.until(ms("2026-11-20 16:00") - 1)
    assert scene.told == ["Intake"]
    assert scene.known.history[-1].status == "Incarcerated"
    scene.until(ms("2026-11-20 16:00"))
    assert scene.told == ["Intake", "Release"]
    assert outcome_of(scene.verdict(release.message_id)) == ("passed", "confirmed")
    assert "none has come yet" in scene.verdict(release.message_id).detail
    assert (scene.known.history[-1].status, scene.known.history[-1].kind) == ("Released", "State Prison")


def test_an_intake_alone_is_told() -> None:
    scene = Scene()
    scene.receive(intake())
    assert scene.told == ["Intake"]


def test_an_intake_elsewhere_does_not_tell_the_release() -> None:
    scene = Scene()
    scene.receive(jailed())
    scene.receive(jail_release("2026-11-20 08:00"))
    scene.receive(event("State Hospital", "Intake", "Movement", "2026-11-20 09:00"))
    assert scene.told == ["Intake", "Intake"]
    assert len(scene.known.pending) == 1


def test_last_years_intake_does_not_tell_todays_release() -> None:
    scene = Scene()
    scene.receive(intake("2025-11-20 09:00"))
    assert outcome_of(scene.receive(jail_release("2026-11-20 08:00"))) == ("waiting", "transfer_hold")


def test_an_intake_announced_for_next_week_does_not_tell_todays_release() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-27 09:00", received="2026-11-20 07:00"))
    assert outcome_of(scene.receive(jail_release("2026-11-20 08:00"))) == ("waiting", "transfer_hold")


def test_a_release_heard_of_late_is_still_told_by_its_intake() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    assert outcome_of(scene.receive(jail_release("2026-11-20 08:00", received="2026-11-20 23:00"))) == ("suppressed", "told_by_intake")


def test_another_movement_to_that_facility_does_not_tell_the_release() -> None:
    scene = Scene()
    scene.receive(jailed())
    scene.receive(jail_release("2026-11-20 08:00"))
    scene.receive(event("Corrections", "Transfer", "Movement", "2026-11-20 09:00", location_kind="State Prison"))
    assert len(scene.known.pending) == 1


def test_an_intake_of_long_ago_heard_of_only_now_does_not_tell_todays_release() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-01 09:00", received="2026-11-20 07:00", validate=False, do_not_validate=True))
    assert outcome_of(scene.receive(jail_release("2026-11-20 08:00"))) == ("waiting", "transfer_hold")


def test_an_intake_that_nobody_was_told_of_does_not_tell_the_release() -> None:
    scene = Scene()
    scene.receive(jail_release("2026-11-20 08:00"))
    internal = scene.receive(event("Corrections", "Intake", "Internal", "2026-11-20 09:00"))
    assert outcome_of(internal) == ("suppressed", "internal")
    assert len(scene.known.pending) == 1


def test_a_release_into_the_community_does_not_wait() -> None:
    scene = Scene()
    scene.receive(jailed())
    assert outcome_of(scene.receive(jail_release(location_kind="Community"))) == ("passed", "confirmed")
    assert outcome_of(scene.receive(jail_release("2026-11-20 09:00", location_kind=None, status="Supervised"))) == ("passed", "confirmed")


def test_a_release_not_to_be_validated_does_not_wait() -> None:
    scene = Scene()
    scene.receive(jail_release(do_not_validate=True, validate=False))
    assert scene.told == ["Release"]


def test_a_release_whose_other_information_is_not_to_be_validated_does_not_wait() -> None:
    scene = Scene()
    scene.receive(jail_release(do_not_validate=True, waived=("Other Information",)))
    assert scene.told == ["Release"]


def test_a_release_cancelled_while_it_waits_is_never_told() -> None:
    scene = Scene()
    scene.receive(jailed())
    release = scene.receive(jail_release("2026-11-20 08:00")).message_id
    assert outcome_of(scene.receive(cancel(scene.last))) == ("suppressed", "nothing_told")
    assert outcome_of(scene.verdict(release)) == ("suppressed", "superseded")
    scene.until(ms("2026-11-21 00:00"))
    assert scene.told == ["Intake"]
    assert scene.timers == {}


def test_the_hold_is_a_setting() -> None:
    scene = Scene()
    scene.set("transfer.hold", "1h", jurisdiction="VA")
    scene.receive(jail_release("2026-11-20 08:00"))
    scene.until(ms("2026-11-20 09:00"))
    assert scene.told == ["Release"]


def test_a_release_that_the_status_forbids_is_flagged_once_the_hold_is_over() -> None:
    scene = Scene()
    scene.receive(event("Corrections", "Death", "Information", "2026-11-19 09:00"))
    assert outcome_of(scene.receive(jail_release("2026-11-20 08:00"))) == ("waiting", "transfer_hold")
    scene.until(ms("2026-11-20 16:00"))
    assert scene.review.reason == "status_transition"
    assert scene.told == ["Death"]
