"""What a restore from backup still asks for."""

from bilty.doctor.findings import Finding, note, wrong
from bilty.store.restored import Restore
from bilty.words import counted, sentence

SEND_AGAIN = "Have it sent again, see docs/backup.md; then run `bilty restored --over`."
FIND = "`bilty up` or `bilty work` looks for them; nothing is booked for one before it is found."


def judge(restore: Restore | None) -> list[Finding]:
    """Nothing to say once it is over and everything is found."""
    if restore is None:
        return []
    found = []
    at = f"{restore.at:%Y-%m-%d %H:%M} UTC"
    if restore.careful_until > restore.now:
        known = restore.known_until
        lost = f"what came after {known:%Y-%m-%d %H:%M} UTC is lost" if known else "nothing was in the backup"
        until = f"until {restore.careful_until:%Y-%m-%d} each run is looked for before it is begun"
        found.append(note(f"The database was restored at {at}: {lost}, and {until}.", SEND_AGAIN))
    if restore.to_find:
        told = f"{counted(restore.to_find, 'shipment')} since the restore of {at} to be found again at ClickPost."
        why = f" {sentence(restore.why)}" if restore.why else ""
        found.append(wrong(f"{told}{why}", FIND) if restore.why else note(told))
    return found
