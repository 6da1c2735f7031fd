class Bank:
    accounts = []
    log = []

    def open(self, name, amount=0):
        self.accounts.append([name, amount])

    def find(self, name):
        for account in self.accounts:
            if account[0] == name:
                return account
        return None

    def pay(self, source, target, amount):
        a, b = self.find(source), self.find(target)
        if a is None or b is None or a[1] < amount:
            self.log.append("refused %s -> %s" % (source, target))
            return
        a[1] -= amount
        b[1] += amount


bank = Bank()
try:
    while True:
        words = input().split()
        if words[0] == "open":
            bank.open(words[1], int(words[2]))
        else:
            bank.pay(words[1], words[2], int(words[3]))
except EOFError:
    pass
for name, amount in sorted(bank.accounts):
    print(name, amount)
print("\n".join(bank.log))
