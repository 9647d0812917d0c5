#include "access/team_source.h"

void team_source_free(struct team_source *source)
{
    if (source) {
        source->driver->free(source);
    }
}

void team_list_append(struct strbuf *teams, struct str team)
{
    if (team.length > 0 && str_index_of(team, '\n') == team.length) {
        strbuf_append(teams, team);
        strbuf_append_byte(teams, '\n');
    }
}
