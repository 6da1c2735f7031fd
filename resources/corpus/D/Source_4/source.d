import std.stdio : writeln, writefln, stdin;
import std.string : toLower;
import std.array : array, split;
import std.algorithm : sort, filter;
import std.ascii : isAlpha;
import std.conv : to;

void main()
{
    int[string] count;
    foreach (line; stdin.byLine)
    {
        foreach (word; line.idup.split)
        {
            string clean = word.toLower.filter!(c => c < 128 && isAlpha(cast(char) c)).to!string;
            if (clean.length > 0)
                count[clean]++;
        }
    }
    auto words = count.keys;
    words.sort!((a, b) => count[a] != count[b] ? count[a] > count[b] : a < b);
    foreach (i, word; words)
    {
        if (i == 8)
            break;
        writefln("%-12s%4d", word, count[word]);
    }
    writeln(words.length, " words");
}
