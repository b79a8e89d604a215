extension Grammar {
    /// The same grammar without what can never end, once it is known to be usable.
    ///
    /// - Throws: `empty` when no text is allowed, `leftRecursion`.
    func checked(_ rules: GrammarRules, root: Int32) throws(GrammarError) -> Grammar {
        let productive = fixpoint { state, holds in
            switch state {
            case .end: true
            case .bytes(let range): range.contains { holds(edges[Int($0)].next) }
            case .fork(let range): range.contains { holds(targets[Int($0)]) }
            case .call(let rule, let next): holds(starts[Int(rule)]) && holds(next)
            }
        }
        guard productive[Int(starts[Int(root)])] else { throw .empty }
        let grammar = keeping(productive, root: root)
        try grammar.refuseLeftRecursion(rules)
        return grammar
    }

    /// Without edges and targets that lead where no text ends: whatever is begun can be finished.
    private func keeping(_ productive: [Bool], root: Int32) -> Grammar {
        var (states, edges, targets) = (states, [Edge](), [Int32]())
        for index in states.indices {
            switch states[index] {
            case .bytes(let range):
                let start = Int32(edges.count)
                edges += self.edges[Int(range.lowerBound)..<Int(range.upperBound)].filter {
                    productive[Int($0.next)]
                }
                states[index] = .bytes(start..<Int32(edges.count))
            case .fork(let range):
                let start = Int32(targets.count)
                targets += self.targets[Int(range.lowerBound)..<Int(range.upperBound)].filter {
                    productive[Int($0)]
                }
                states[index] = .fork(start..<Int32(targets.count))
            case .call, .end: break
            }
        }
        return Grammar(
            states: states, edges: edges, targets: targets, starts: starts, root: root, classes: classes,
            classCount: classCount)
    }

    /// Without left recursion only finitely many rules are entered between two bytes.
    private func refuseLeftRecursion(_ rules: GrammarRules) throws(GrammarError) {
        let nullable = fixpoint { state, holds in
            switch state {
            case .end: true
            case .bytes: false
            case .fork(let range): range.contains { holds(targets[Int($0)]) }
            case .call(let rule, let next): holds(starts[Int(rule)]) && holds(next)
            }
        }
        let entered = starts.map { rulesEntered(from: $0, nullable: nullable) }
        // Depth first, without recursion: 1 is on the path, 2 is done.
        var marks = [UInt8](repeating: 0, count: starts.count)
        for rule in starts.indices where marks[rule] == 0 {
            var path: [(rule: Int, next: Int)] = [(rule, 0)]
            marks[rule] = 1
            while let (current, next) = path.last {
                guard next < entered[current].count else {
                    marks[current] = 2
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let other = Int(entered[current][next])
                guard marks[other] != 1 else {
                    throw .leftRecursion(other < rules.names.count ? rules.names[other] : "repetition")
                }
                if marks[other] == 0 {
                    marks[other] = 1
                    path.append((other, 0))
                }
            }
        }
    }

    /// The rules that may be entered before the first byte.
    private func rulesEntered(from start: Int32, nullable: [Bool]) -> [Int32] {
        var (seen, waiting): (Set<Int32>, [Int32]) = ([start], [start])
        var found: Set<Int32> = []
        while let state = waiting.popLast() {
            let nexts: [Int32]
            switch states[Int(state)] {
            case .end, .bytes: nexts = []
            case .fork(let range): nexts = range.map { targets[Int($0)] }
            case .call(let rule, let next):
                found.insert(rule)
                nexts = nullable[Int(starts[Int(rule)])] ? [next] : []
            }
            waiting += nexts.filter { seen.insert($0).inserted }
        }
        return found.sorted()
    }

    /// The states for which `rule` holds, given those for which it is known to hold.
    private func fixpoint(_ rule: (State, (Int32) -> Bool) -> Bool) -> [Bool] {
        var holds = [Bool](repeating: false, count: states.count)
        let users = usersOfStates()
        var waiting = Array(states.indices)
        while let index = waiting.popLast() {
            guard !holds[index], rule(states[index], { holds[Int($0)] }) else { continue }
            holds[index] = true
            waiting += users.list[Int(users.starts[index])..<Int(users.starts[index + 1])].map(Int.init)
        }
        return holds
    }

    /// For each state those that look at it, one list after the other.
    private func usersOfStates() -> (starts: [Int32], list: [Int32]) {
        var counts = [Int32](repeating: 0, count: states.count + 1)
        eachUse { used, _ in counts[Int(used) + 1] += 1 }
        for index in 1..<counts.count { counts[index] += counts[index - 1] }
        var (next, list) = (counts, [Int32](repeating: 0, count: Int(counts[states.count])))
        eachUse { used, user in
            list[Int(next[Int(used)])] = user
            next[Int(used)] += 1
        }
        return (counts, list)
    }

    private func eachUse(_ body: (_ used: Int32, _ user: Int32) -> Void) {
        for (index, state) in states.enumerated() {
            let user = Int32(index)
            switch state {
            case .end: break
            case .bytes(let range): for edge in range { body(edges[Int(edge)].next, user) }
            case .fork(let range): for target in range { body(targets[Int(target)], user) }
            case .call(let rule, let next):
                body(starts[Int(rule)], user)
                body(next, user)
            }
        }
    }
}
