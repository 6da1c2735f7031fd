enum Fault: Error, CustomStringConvertible {
    case tooFew(String)
    case notANumber(String)
    case divisionByZero

    var description: String {
        switch self {
        case .tooFew(let token): return "too few operands for \(token)"
        case .notANumber(let token): return "\(token) is no number"
        case .divisionByZero: return "division by zero"
        }
    }
}

func evaluate(_ line: String) throws -> Int {
    var stack: [Int] = []
    for part in line.split(separator: " ") {
        let token = String(part)
        guard ["+", "-", "*", "/"].contains(token) else {
            guard let value = Int(token) else { throw Fault.notANumber(token) }
            stack.append(value)
            continue
        }
        guard let b = stack.popLast(), let a = stack.popLast() else { throw Fault.tooFew(token) }
        switch token {
        case "+": stack.append(a + b)
        case "-": stack.append(a - b)
        case "*": stack.append(a * b)
        default:
            if b == 0 { throw Fault.divisionByZero }
            stack.append(a / b)
        }
    }
    guard let result = stack.last else { throw Fault.tooFew("the result") }
    return result
}

while let line = readLine() {
    do {
        print(try evaluate(line))
    } catch {
        print("error: \(error)")
    }
}
