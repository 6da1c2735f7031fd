#import <Foundation/Foundation.h>

// Edit distance of two lines; NSString on the outside, a plain C table within.
static NSUInteger distance(NSString *a, NSString *b)
{
    NSUInteger n = [a length], m = [b length];
    NSUInteger *row = malloc((m + 1) * sizeof(NSUInteger));
    for (NSUInteger j = 0; j <= m; j++)
        row[j] = j;
    for (NSUInteger i = 1; i <= n; i++) {
        NSUInteger corner = row[0];
        row[0] = i;
        for (NSUInteger j = 1; j <= m; j++) {
            NSUInteger above = row[j];
            NSUInteger change = corner + ([a characterAtIndex:i - 1] != [b characterAtIndex:j - 1]);
            row[j] = MIN(MIN(above, row[j - 1]) + 1, change);
            corner = above;
        }
    }
    NSUInteger result = row[m];
    free(row);
    return result;
}

int main(void)
{
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    NSData *input = [[NSFileHandle fileHandleWithStandardInput] readDataToEndOfFile];
    NSString *text = [[NSString alloc] initWithData:input encoding:NSUTF8StringEncoding];
    NSArray *lines = [text componentsSeparatedByString:@"\n"];
    for (NSUInteger i = 0; i + 1 < [lines count]; i += 2) {
        NSString *a = [lines objectAtIndex:i];
        NSString *b = [lines objectAtIndex:i + 1];
        NSString *report = [NSString stringWithFormat:@"%@ / %@: %lu", a, b, (unsigned long)distance(a, b)];
        puts([report UTF8String]);
    }
    [text release];
    [pool drain];
    return 0;
}
