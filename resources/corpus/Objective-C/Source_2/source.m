#import <Foundation/Foundation.h>

// Counts words with a dictionary and prints the most common ones.
int main(void)
{
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    NSData *data = [[NSFileHandle fileHandleWithStandardInput] readDataToEndOfFile];
    NSString *text = [[[NSString alloc] initWithData:data encoding:NSUTF8StringEncoding] autorelease];
    NSCharacterSet *separators = [[NSCharacterSet letterCharacterSet] invertedSet];
    NSMutableDictionary *counts = [NSMutableDictionary dictionary];

    for (NSString *part in [[text lowercaseString] componentsSeparatedByCharactersInSet:separators]) {
        if ([part length] == 0)
            continue;
        NSNumber *old = [counts objectForKey:part];
        [counts setObject:[NSNumber numberWithInt:[old intValue] + 1] forKey:part];
    }

    NSArray *words = [[counts allKeys] sortedArrayUsingSelector:@selector(compare:)];
    int best = 0;
    for (NSString *word in words) {
        int c = [[counts objectForKey:word] intValue];
        if (c > best)
            best = c;
    }
    for (int level = best; level > 0; level--) {
        for (NSString *word in words) {
            if ([[counts objectForKey:word] intValue] == level)
                printf("%d %s\n", level, [word UTF8String]);
        }
    }
    [pool drain];
    return 0;
}
