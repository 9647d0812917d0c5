#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access/team_source.h"
#include "base/clock.h"
#include "base/metrics.h"

/*
 * Who belongs to which team: asks those who know, and remembers what they said. One list of an
 * identity's teams answers for all of them. Bounded in memory, and in how often one identity may
 * make it ask in vain; shared by threads. Those who ask the same at the same time wait for one
 * lookup.
 */
struct team_directory;

enum { TEAM_REFUSALS_MAX = 60 }; /* of one identity in a minute; more is not asked for it */

struct team_directory_config {
    struct team_source *const *sources; /* not owned */
    size_t source_count;
    size_t cache_entries;
    int64_t cache_ms; /* of a yes; a no counts for 5 seconds, a failure for 2 */
    const struct clock *clock;
    struct metrics *metrics; /* NULL: nothing is counted */
};

struct team_directory *team_directory_new(const struct team_directory_config *config);

/* NULL is accepted. */
void team_directory_free(struct team_directory *directory);

/*
 * OK: one of them says yes. ERROR_DENIED: all of them say no, or there is nobody to ask; err says
 * who was asked. ERROR_UNAVAILABLE: nobody says yes, and somebody could not be asked.
 * ERROR_TOO_MANY: nobody is asked, since the identity was refused too often. If nothing is
 * remembered and may_ask is false, sets *must_ask_out and fails: to be tried again where it may be.
 */
MUST_USE enum error_code team_directory_is_member(struct team_directory *directory,
                                                  const struct team_question *question,
                                                  bool may_ask, bool *must_ask_out,
                                                  struct error *err);
