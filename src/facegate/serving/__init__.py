"""The service: HTTP and WebSocket around the engine, the gallery, attendance, and whoever keeps watch over them.

Routes, all JSON (``schemas/``) unless said otherwise; errors are ``application/problem+json`` (RFC 9457). The key goes
into the header ``Authorization: Bearer fg_…``; a role may all that the one before it may::

    kiosk     POST   /v1/detect                       multipart `picture`                 DetectAnswer
              POST   /v1/spoof                        multipart `picture`                 PictureAnswer
              POST   /v1/identify                     multipart `picture`                 PictureAnswer
              POST   /v1/verify                       multipart `first`, `second`         VerifyAnswer
              POST   /v1/liveness                     multipart `clip`, or several        LivenessAnswer
                                                      `frames` and as many `times` (s)
              POST   /v1/attendance/picture           multipart `picture`, `camera`, `session`   MarkAnswer
              WS     /v1/stream                       see schemas/stream.py
              GET    /v1/me                                                               Me
    operator  GET    /v1/persons                      ?after= &limit= &query=             PersonPage
              POST   /v1/persons                      multipart `name`, `id` (optional),  EnrolAnswer, 201; 409 for a
                                                      several `pictures`,                 duplicate, 422 if no picture
                                                      `allow_duplicate`                   is usable (EnrolAnswer as the
                                                                                          problem's member `enrolment`)
              GET    /v1/persons/re-enrol                                                 ReEnrolList
              GET    /v1/persons/{id}                                                     PersonOut
              PATCH  /v1/persons/{id}                 PersonChange                        PersonOut
              DELETE /v1/persons/{id}                                                     204
              POST   /v1/persons/{id}/pictures        multipart several `pictures`        EnrolAnswer
              GET    /v1/sessions                                                         list of SessionOut
              POST   /v1/sessions                     SessionNew                          SessionOut, 201
              GET    /v1/attendance                   ?day= &until= &person= &session=    PresenceList
              GET    /v1/attendance.csv               the same                            text/csv
              POST   /v1/attendance                   ManualMark                          Presence, 201
              POST   /v1/attendance/{id}/corrections  Correction                          Presence
              GET    /v1/models                                                           ModelsAnswer
              GET    /metrics                                                             Prometheus text
    admin     GET    /v1/keys                                                             list of KeyOut
              POST   /v1/keys                         KeyNew                              KeyMade, 201
              DELETE /v1/keys/{id}                                                        204
              GET    /v1/journal                                                          JournalAnswer
    nobody    GET    /healthz, /readyz                                                    Health, Readiness (503 if not)
              GET    /openapi.json, /docs
              GET    /                                the files of ``web/``; index.html is the kiosk
"""
