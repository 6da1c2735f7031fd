import std.stdio;
import std.string : split;
import std.conv : to, ConvException;

class CalculatorError : Exception
{
    this(string message)
    {
        super(message);
    }
}

long evaluate(string[] tokens)
{
    long[] stack;
    foreach (token; tokens)
    {
        switch (token)
        {
        case "+", "-", "*":
            if (stack.length < 2)
                throw new CalculatorError("stack is empty at " ~ token);
            immutable right = stack[$ - 1], left = stack[$ - 2];
            stack = stack[0 .. $ - 2];
            if (token == "+")
                stack ~= left + right;
            else if (token == "-")
                stack ~= left - right;
            else
                stack ~= left * right;
            break;
        default:
            stack ~= token.to!long;
        }
    }
    if (stack.length != 1)
        throw new CalculatorError("needs exactly one result");
    return stack[0];
}

void main()
{
    foreach (line; stdin.byLineCopy)
    {
        try
            writeln(evaluate(line.split));
        catch (CalculatorError e)
            writeln("error: ", e.msg);
        catch (ConvException)
            writeln("error: not a number");
    }
}
