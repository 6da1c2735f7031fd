protocol Account {
    var owner: String { get }
    var balance: Int { get set }
    var limit: Int { get }
}

extension Account {
    mutating func withdraw(_ amount: Int) -> Bool {
        if balance - amount < limit { return false }
        balance -= amount
        return true
    }
}

struct Savings: Account {
    let owner: String
    var balance: Int
    let limit = 0
}

struct Giro: Account {
    let owner: String
    var balance: Int
    let limit: Int
}

var accounts: [String: any Account] = [:]
while let line = readLine() {
    let words = line.split(separator: " ").map(String.init)
    switch (words.first ?? "", words.count) {
    case ("savings", 3):
        accounts[words[1]] = Savings(owner: words[1], balance: Int(words[2]) ?? 0)
    case ("giro", 4):
        accounts[words[1]] = Giro(owner: words[1], balance: Int(words[2]) ?? 0, limit: -(Int(words[3]) ?? 0))
    case ("take", 3):
        if let done = accounts[words[1]]?.withdraw(Int(words[2]) ?? 0) {
            print(done ? "ok" : "refused")
        } else {
            print("no account of \(words[1])")
        }
    default:
        print("what? \(line)")
    }
}
for account in accounts.values.sorted(by: { $0.owner < $1.owner }) {
    print(account.owner, account.balance)
}
