import std.algorithm, std.array, std.conv, std.range, std.stdio;

/// Merges overlapping intervals and tells how much of the line they cover.
void main()
{
    auto n = readln.strip.to!int;
    auto spans = n.iota
        .map!(_ => readln.split.to!(int[]))
        .array
        .sort!((a, b) => a[0] < b[0] || (a[0] == b[0] && a[1] < b[1]));
    int[][] merged;
    foreach (span; spans)
    {
        if (merged.empty || merged.back[1] < span[0])
            merged ~= span.dup;
        else
            merged.back[1] = max(merged.back[1], span[1]);
    }
    foreach (span; merged)
        writeln(span[0], " ", span[1]);
    writeln("covered: ", merged.map!(s => s[1] - s[0]).sum);
}

string strip(string s)
{
    import std.string : strip_ = strip;

    return strip_(s);
}
