#import <Foundation/Foundation.h>
#include <stdio.h>

@interface Sieve : NSObject
{
    NSMutableData *flags;
    int limit;
}
- (id)initWithLimit:(int)n;
- (BOOL)isPrime:(int)n;
- (int)count;
@end

@implementation Sieve

- (id)initWithLimit:(int)n
{
    self = [super init];
    if (self != nil) {
        limit = n;
        flags = [[NSMutableData alloc] initWithLength:n + 1];
        char *composite = [flags mutableBytes];
        for (int i = 2; (long)i * i <= n; i++)
            if (!composite[i])
                for (int j = i * i; j <= n; j += i)
                    composite[j] = 1;
    }
    return self;
}

- (void)dealloc
{
    [flags release];
    [super dealloc];
}

- (BOOL)isPrime:(int)n
{
    const char *composite = [flags bytes];
    return n >= 2 && n <= limit && !composite[n];
}

- (int)count
{
    int total = 0;
    for (int i = 0; i <= limit; i++)
        total += [self isPrime:i] ? 1 : 0;
    return total;
}

@end

int main(void)
{
    Sieve *sieve = [[Sieve alloc] initWithLimit:100000];
    printf("%d primes\n", [sieve count]);
    int n;
    while (scanf("%d", &n) == 1)
        printf("%d: %s\n", n, [sieve isPrime:n] ? "prime" : "not prime");
    [sieve release];
    return 0;
}
