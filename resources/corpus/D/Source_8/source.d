import std.stdio;
import std.algorithm.comparison : min;
import std.range : iota;
import std.array : array;
import std.string : chomp;

int distance(string a, string b)
{
    int[] row = iota(cast(int) b.length + 1).array;
    foreach (i, x; a)
    {
        int diagonal = row[0];
        row[0] = cast(int) i + 1;
        foreach (j, y; b)
        {
            int above = row[j + 1];
            row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x != y));
            diagonal = above;
        }
    }
    return row[$ - 1];
}

unittest
{
    assert(distance("", "abc") == 3);
    assert(distance("kitten", "sitting") == 3);
}

void main()
{
    string previous;
    foreach (line; stdin.byLineCopy)
    {
        string word = line.chomp;
        if (previous !is null)
            writefln("%s -> %s: %d", previous, word, distance(previous, word));
        previous = word;
    }
}
