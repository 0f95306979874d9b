/* lane_priv.h - what the files of a lane share. */
#ifndef SMCR_LANE_PRIV_H
#define SMCR_LANE_PRIV_H

#include "run/lane.h"

const smcr_file_t *smcr_lane_file(const smcr_lane_t *lane);
/* Tells the schedule; takes the event's texts over. */
void smcr_lane_send(smcr_lane_t *lane, smcr_event_t *ev);
/* What went over the wire since the running spec began; owned by the caller, NULL: nothing. */
char *smcr_lane_transcript(const smcr_lane_t *lane);

#endif /* SMCR_LANE_PRIV_H */
