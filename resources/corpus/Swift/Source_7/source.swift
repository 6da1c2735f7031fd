struct Matrix {
    static let modulus: UInt64 = 1_000_000_007
    var rows: [[UInt64]]

    static func identity(_ n: Int) -> Matrix {
        var m = Matrix(rows: Array(repeating: Array(repeating: 0, count: n), count: n))
        for i in 0..<n {
            m.rows[i][i] = 1
        }
        return m
    }

    static func * (left: Matrix, right: Matrix) -> Matrix {
        let n = left.rows.count
        var result = Matrix(rows: Array(repeating: Array(repeating: 0, count: n), count: n))
        for i in 0..<n {
            for j in 0..<n {
                var sum: UInt64 = 0
                for k in 0..<n {
                    sum = (sum + left.rows[i][k] * right.rows[k][j]) % modulus
                }
                result.rows[i][j] = sum
            }
        }
        return result
    }

    func power(_ exponent: UInt64) -> Matrix {
        var result = Matrix.identity(rows.count)
        var base = self
        var e = exponent
        while e > 0 {
            if e & 1 == 1 { result = result * base }
            base = base * base
            e >>= 1
        }
        return result
    }
}

let step = Matrix(rows: [[1, 1], [1, 0]])
while let line = readLine(), let n = UInt64(line) {
    print("F(\(n)) = \(step.power(n).rows[0][1])")
}
