#import <Foundation/Foundation.h>

@interface Account : NSObject
@property (nonatomic, copy) NSString *owner;
@property (nonatomic, assign) long balance;
- (BOOL)pay:(long)amount to:(Account *)other;
@end

@implementation Account
@synthesize owner, balance;

- (BOOL)pay:(long)amount to:(Account *)other
{
    if (amount <= 0 || amount > self.balance)
        return NO;
    self.balance -= amount;
    other.balance += amount;
    return YES;
}

- (void)dealloc
{
    [owner release];
    [super dealloc];
}
@end

int main(void)
{
    @autoreleasepool {
        NSMutableDictionary *bank = [NSMutableDictionary dictionary];
        char from[40], to[40];
        long amount;
        while (scanf("%39s %39s %ld", from, to, &amount) == 3) {
            Account *pair[2];
            const char *names[2] = { from, to };
            for (int i = 0; i < 2; i++) {
                NSString *name = @(names[i]);
                if (bank[name] == nil) {
                    Account *fresh = [[[Account alloc] init] autorelease];
                    fresh.owner = name;
                    fresh.balance = 100;
                    bank[name] = fresh;
                }
                pair[i] = bank[name];
            }
            if (![pair[0] pay:amount to:pair[1]])
                printf("%s cannot pay %ld\n", from, amount);
        }
        for (NSString *name in [[bank allKeys] sortedArrayUsingSelector:@selector(compare:)])
            printf("%s %ld\n", [name UTF8String], [bank[name] balance]);
    }
    return 0;
}
