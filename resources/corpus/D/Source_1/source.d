import std.stdio;
import std.algorithm : sort, map;
import std.array : array, split;
import std.conv : to;
import std.string : strip;

/// Numbers on one line: prints the median and how many pairs add up to the target.
void main()
{
    immutable target = readln.strip.to!long;
    auto numbers = readln.split.map!(to!long).array;
    sort(numbers);
    if (numbers.length == 0)
    {
        writeln("nothing");
        return;
    }
    writeln("median ", numbers[numbers.length / 2]);
    size_t low = 0, high = numbers.length - 1;
    int pairs = 0;
    while (low < high)
    {
        immutable sum = numbers[low] + numbers[high];
        if (sum == target)
        {
            pairs++;
            low++;
            high--;
        }
        else if (sum < target)
            low++;
        else
            high--;
    }
    writeln("pairs ", pairs);
}
