"""What the service remembers: persons and their templates, attendance, the journal of decisions, and API keys.

The rest of the service uses these; everything is transactional, blocking (call it from a thread), safe between
threads, and durable when it returns::

    database = Database.open("sqlite:///data/facegate.db")     # or postgresql://…; brings the tables up to date
    vault = Vault.load()                                       # keys: FACEGATE_VAULT_KEY_FILE or FACEGATE_VAULT_KEYS
    gallery = Gallery(database, vault, TemplateModel.of(recogniser.bundle.contract))
    engine = FaceEngine(recogniser, judge, gallery)            # Gallery.search is what the engine asks

    person = gallery.enrol(name="Ada", templates=embeddings, crops=aligned)   # → Person; person_id= to choose one
    gallery.add_templates(person.id, templates=more)
    gallery.person(id), gallery.persons(page=1, size=50, search="ad"), gallery.rename(id, name)
    gallery.keep_until(id, time), gallery.delete(id, keep_attendance=False), gallery.purge(now, crop_days=30)
    gallery.candidates(embedding, count=5), gallery.compare(id, embedding), gallery.duplicates(embedding, threshold)
    gallery.refresh()                                          # follow other workers; cheap if nothing changed
    gallery.re_enrol_list(), gallery.re_enrol(recogniser.embed_crops)  # when the recogniser changed
    threshold_for(contract, len(gallery), fpir=0.01)           # grows with the gallery

    attendance = Attendance(database, window=timedelta(minutes=10), zone=ZoneInfo("Europe/Oslo"))
    attendance.mark(id, at=…, camera="door", session_id=None, score=0.7).new
    attendance.count_unknown(camera="door"), attendance.marks(day=…), attendance.day(date)
    attendance.correct(mark_id, by=…, reason=…, void=True), attendance.enter(…), attendance.trail(mark_id)
    attendance.create_session(name), attendance.close_session(id), attendance.sessions(day=…)
    attendance_csv(marks)                                      # lines of text

    journal = Journal(database)
    journal.append("identify", {"person": id, "score": 0.7}), journal.entries(after=-1), journal.verify()

    keys = Keys(database)
    keys.create(Role.KIOSK, "front door").secret, keys.authenticate(secret), keys.revoke(id), keys.all()
    key.role.allows(Role.OPERATOR)

    rotate(database, vault)                                    # seal everything by the newest key

Errors, all `FacegateError`: `NotFoundError` (404), `ConflictError` (409), `InvalidError` (422), `StoreError` (503: the
database), `VaultError` (500: keys or tampering), `JournalError` (500: a broken chain).
"""

from facegate.serving.store.attendance import Attendance, DayEntry, Marked
from facegate.serving.store.corrections import Correction
from facegate.serving.store.database import Database
from facegate.serving.store.errors import ConflictError, InvalidError, NotFoundError, StoreError, VaultError
from facegate.serving.store.export import attendance_csv
from facegate.serving.store.gallery import Gallery
from facegate.serving.store.journal import Entry, Journal, JournalError, Verified
from facegate.serving.store.keys import ApiKey, Keys, NewKey, Role
from facegate.serving.store.marks import Mark
from facegate.serving.store.people import Person, PersonPage
from facegate.serving.store.re_enrolment import Progress, Waiting
from facegate.serving.store.rotation import Rotated, key_counts, rotate
from facegate.serving.store.rows import TemplateModel
from facegate.serving.store.sessions import Session
from facegate.serving.store.thresholds import SearchThreshold, threshold_for
from facegate.serving.store.unknowns import UnknownCount
from facegate.serving.store.vault import Vault, new_key_line

__all__ = [
    "ApiKey",
    "Attendance",
    "ConflictError",
    "Correction",
    "Database",
    "DayEntry",
    "Entry",
    "Gallery",
    "InvalidError",
    "Journal",
    "JournalError",
    "Keys",
    "Mark",
    "Marked",
    "NewKey",
    "NotFoundError",
    "Person",
    "PersonPage",
    "Progress",
    "Role",
    "Rotated",
    "SearchThreshold",
    "Session",
    "StoreError",
    "TemplateModel",
    "UnknownCount",
    "Vault",
    "VaultError",
    "Verified",
    "Waiting",
    "attendance_csv",
    "key_counts",
    "new_key_line",
    "rotate",
    "threshold_for",
]
