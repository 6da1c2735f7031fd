#import <Foundation/Foundation.h>

@interface Stack : NSObject
{
    NSMutableArray *items;
}
- (void)push:(double)value;
- (double)pop;
- (NSUInteger)depth;
@end

@implementation Stack

- (id)init
{
    if ((self = [super init]))
        items = [[NSMutableArray alloc] init];
    return self;
}

- (void)dealloc
{
    [items release];
    [super dealloc];
}

- (void)push:(double)value
{
    [items addObject:[NSNumber numberWithDouble:value]];
}

- (double)pop
{
    if ([items count] == 0)
        [NSException raise:NSRangeException format:@"the stack is empty"];
    double value = [[items lastObject] doubleValue];
    [items removeLastObject];
    return value;
}

- (NSUInteger)depth
{
    return [items count];
}

@end

int main(void)
{
    NSAutoreleasePool *pool = [NSAutoreleasePool new];
    Stack *stack = [[Stack new] autorelease];
    char token[64];
    @try {
        while (scanf("%63s", token) == 1) {
            NSString *t = [NSString stringWithUTF8String:token];
            if ([t length] == 1 && [@"+-*/" rangeOfString:t].location != NSNotFound) {
                double b = [stack pop], a = [stack pop];
                switch (token[0]) {
                case '+': [stack push:a + b]; break;
                case '-': [stack push:a - b]; break;
                case '*': [stack push:a * b]; break;
                default:  [stack push:a / b]; break;
                }
            } else {
                [stack push:[t doubleValue]];
            }
        }
        printf("%.3f, %lu left\n", [stack pop], (unsigned long)[stack depth]);
    } @catch (NSException *fault) {
        printf("error: %s\n", [[fault reason] UTF8String]);
    }
    [pool release];
    return 0;
}
