#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char name[32];
    int solved;
    int penalty;
} Team;

static int compare(const void *l, const void *r)
{
    const Team *x = l, *y = r;
    if (x->solved != y->solved)
        return y->solved - x->solved;
    if (x->penalty != y->penalty)
        return x->penalty - y->penalty;
    return strcmp(x->name, y->name);
}

int main(void)
{
    int teams, runs;
    scanf("%d %d", &teams, &runs);
    Team *table = calloc(teams, sizeof(Team));
    for (int i = 0; i < teams; i++)
        scanf("%31s", table[i].name);
    for (int i = 0; i < runs; i++) {
        char name[32], verdict[8];
        int minute;
        scanf("%31s %d %7s", name, &minute, verdict);
        for (int k = 0; k < teams; k++) {
            if (strcmp(table[k].name, name) != 0)
                continue;
            if (strcmp(verdict, "AC") == 0) {
                table[k].solved++;
                table[k].penalty += minute;
            } else {
                table[k].penalty += 20;
            }
        }
    }
    qsort(table, teams, sizeof(Team), compare);
    for (int i = 0; i < teams; i++)
        printf("%2d. %-12s %d %d\n", i + 1, table[i].name, table[i].solved, table[i].penalty);
    free(table);
    return 0;
}
