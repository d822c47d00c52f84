"""Follow faces from frame to frame, so that a decision is made for a person and not for a picture.

Faces are matched to tracks by the overlap of their boxes and by how far their landmarks moved against what
their motion foretold; the closest pairs first. A track is *tentative* until it was seen often enough,
*confirmed* then, *lost* while the face is out of sight, and *ended* when it stays away.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from facegate.faces.detect import Face, overlap


class TrackState(StrEnum):
    """Life of a track."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True)
class TrackParams:
    """How tracks live and die.

    Attributes:
        confirm_hits: sightings that confirm a track.
        max_gap_s: how long a confirmed face may be out of sight, seconds.
        min_affinity: least overlap minus landmark motion of a match, see :func:`affinity`.
        smoothing: weight of the newest motion in the velocity, 0 to 1.
    """

    confirm_hits: int = 3
    max_gap_s: float = 1.0
    min_affinity: float = -0.35
    smoothing: float = 0.5


@dataclass(frozen=True, eq=False)
class Track:
    """One face through time.

    Attributes:
        id: number of the track, from 1, never used again.
        state: where in its life it stands.
        face: the face when last seen.
        velocity: motion of the face, pixels per second; float32, shape (2,).
        first_s: when first seen, seconds.
        last_s: when last seen, seconds.
        hits: in how many frames it was seen.
    """

    id: int
    state: TrackState
    face: Face
    velocity: NDArray[np.float32]
    first_s: float
    last_s: float
    hits: int = 1

    def seen(self, now_s: float) -> bool:
        """Whether it was seen in the frame of that time."""
        return self.last_s == now_s


def next_state(state: TrackState, hit: bool, hits: int, gap_s: float, params: TrackParams) -> TrackState:
    """The state machine of a track.

    Args:
        state: before the frame.
        hit: whether the face is in the frame.
        hits: frames with the face so far, this one included.
        gap_s: time since it was last seen, seconds.
        params: limits.
    """
    if state is TrackState.ENDED:
        return TrackState.ENDED
    if hit:
        confirmed = state is not TrackState.TENTATIVE or hits >= params.confirm_hits
        return TrackState.CONFIRMED if confirmed else TrackState.TENTATIVE
    if state is TrackState.TENTATIVE or gap_s > params.max_gap_s:
        return TrackState.ENDED
    return TrackState.LOST


def affinity(track: Track, faces: list[Face], now_s: float) -> NDArray[np.float64]:
    """How well faces continue a track.

    Returns:
        Overlap (0 to 1) with the foretold box minus the mean distance of the landmarks to the foretold ones in
        units of the box's larger side; shape (n,). A face standing still has 1, one box width away about -1.
    """
    moved = track.velocity * (now_s - track.last_s)
    box = track.face.box + np.concatenate([moved, np.zeros(2)]).astype(np.float32)
    found = np.array([face.box for face in faces], np.float32).reshape(-1, 4)
    points = np.array([face.landmarks for face in faces], np.float32).reshape(-1, 5, 2)
    distance = np.linalg.norm(points - (track.face.landmarks + moved), axis=2).mean(axis=1)
    return np.asarray(overlap(box, found) - distance / max(float(box[2:].max()), 1.0), np.float64)


class Tracker:
    """Gives every face in a stream a number that stays with it.

    Args:
        params: how tracks live and die.
    """

    def __init__(self, params: TrackParams = TrackParams()) -> None:
        self.params = params
        self.tracks: list[Track] = []
        self._now_s = -np.inf
        self._born = 0

    def update(self, faces: list[Face], now_s: float) -> list[Track]:
        """Take in the faces of one frame.

        Args:
            faces: what the detector found.
            now_s: time of the frame, seconds; later than the one before.

        Returns:
            All tracks, oldest first, those that ended in this frame among them for the last time.

        Raises:
            ValueError: time stands still or runs backwards.
        """
        if not now_s > self._now_s:
            raise ValueError(f"a frame at {now_s} s follows one at {self._now_s} s; time must grow")
        self._now_s = now_s
        pairs = self._match(faces, now_s)
        tracks = [
            self._advance(track, faces[pairs[i]] if i in pairs else None, now_s)
            for i, track in enumerate(self.tracks)
        ]
        taken = set(pairs.values())
        tracks += [self._birth(face, now_s) for j, face in enumerate(faces) if j not in taken]
        self.tracks = [track for track in tracks if track.state is not TrackState.ENDED]
        return tracks

    def _match(self, faces: list[Face], now_s: float) -> dict[int, int]:
        if not faces or not self.tracks:
            return {}
        table = np.array([affinity(track, faces, now_s) for track in self.tracks])
        pairs: dict[int, int] = {}
        for cell in np.argsort(-table, axis=None, kind="stable"):
            i, j = divmod(int(cell), len(faces))
            if table[i, j] < self.params.min_affinity:
                break
            if i not in pairs and j not in pairs.values():
                pairs[i] = j
        return pairs

    def _advance(self, track: Track, face: Face | None, now_s: float) -> Track:
        gap = now_s - track.last_s
        hits = track.hits + (face is not None)
        state = next_state(track.state, face is not None, hits, gap, self.params)
        if face is None:
            return replace(track, state=state)
        motion = (face.landmarks - track.face.landmarks).mean(axis=0) / gap
        velocity = (1 - self.params.smoothing) * track.velocity + self.params.smoothing * motion
        return replace(
            track, state=state, face=face, velocity=velocity.astype(np.float32), last_s=now_s, hits=hits
        )

    def _birth(self, face: Face, now_s: float) -> Track:
        self._born += 1
        state = next_state(TrackState.TENTATIVE, True, 1, 0.0, self.params)
        return Track(self._born, state, face, np.zeros(2, np.float32), now_s, now_s)
