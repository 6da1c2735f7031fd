#include <stdio.h>

/*
 * Größte Lücke zwischen benachbarten Zahlen; die Zahlen müssen sortiert sein.
 * (Écart maximal entre deux nombres voisins, déjà triés.)
 */
int main(void)
{
    int anzahl, vorige, zahl, gap = 0;
    if (scanf("%d %d", &anzahl, &vorige) != 2)
        return 1;
    for (int i = 1; i < anzahl; i++) {
        scanf("%d", &zahl);
        if (zahl - vorige > gap)
            gap = zahl - vorige; /* für später aufheben */
        vorige = zahl;
    }
    printf("%d\n", gap);
    return 0;
}
