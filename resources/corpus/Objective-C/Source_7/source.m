#import <Foundation/Foundation.h>
#include <stdio.h>
#include <string.h>

typedef unsigned long long u64;
static const u64 MOD = 1000000007ULL;

@interface Matrix : NSObject
{
@public
    u64 cell[2][2];
}
+ (Matrix *)identity;
- (Matrix *)times:(Matrix *)other;
- (Matrix *)power:(u64)exponent;
@end

@implementation Matrix

+ (Matrix *)identity
{
    Matrix *m = [[[Matrix alloc] init] autorelease];
    m->cell[0][0] = m->cell[1][1] = 1;
    return m;
}

- (Matrix *)times:(Matrix *)other
{
    Matrix *m = [[[Matrix alloc] init] autorelease];
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            m->cell[i][j] = (cell[i][0] * other->cell[0][j] + cell[i][1] * other->cell[1][j]) % MOD;
    return m;
}

- (Matrix *)power:(u64)exponent
{
    Matrix *result = [Matrix identity], *base = self;
    while (exponent > 0) {
        if (exponent & 1)
            result = [result times:base];
        base = [base times:base];
        exponent >>= 1;
    }
    return result;
}

@end

int main(void)
{
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    Matrix *step = [[[Matrix alloc] init] autorelease];
    step->cell[0][0] = step->cell[0][1] = step->cell[1][0] = 1;
    u64 n;
    while (scanf("%llu", &n) == 1)
        printf("F(%llu) = %llu\n", n, [step power:n]->cell[0][1]);
    [pool drain];
    return 0;
}
