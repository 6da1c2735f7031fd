#import <Foundation/Foundation.h>
#include <stdio.h>

typedef int (^Rule)(int count, int player);

// Takes stones in turn; the rule says how many. Blocks stand for the strategies.
static int play(int stones, Rule first, Rule second)
{
    int player = 0;
    while (stones > 0) {
        Rule rule = player == 0 ? first : second;
        int taken = rule(stones, player);
        if (taken < 1)
            taken = 1;
        if (taken > 3)
            taken = 3;
        stones -= MIN(taken, stones);
        if (stones == 0)
            return player;
        player = 1 - player;
    }
    return -1;
}

int main(void)
{
    @autoreleasepool {
        Rule clever = ^(int count, int player) { return count % 4; };
        Rule greedy = ^(int count, int player) { return 3; };
        __block int seed = 7;
        Rule random = ^(int count, int player) {
            seed = (seed * 1103 + 12345) % 32768;
            return seed % 3 + 1;
        };
        NSDictionary *strategies = @{ @"clever" : clever, @"greedy" : greedy, @"random" : random };
        NSArray *names = [[strategies allKeys] sortedArrayUsingSelector:@selector(compare:)];
        int stones;
        while (scanf("%d", &stones) == 1) {
            for (NSString *a in names) {
                for (NSString *b in names) {
                    int winner = play(stones, strategies[a], strategies[b]);
                    printf("%d %s-%s: %d\n", stones, [a UTF8String], [b UTF8String], winner + 1);
                }
            }
        }
    }
    return 0;
}
