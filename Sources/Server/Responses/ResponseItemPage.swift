import Hummingbird

/// A page of a response's input items, as `GET /v1/responses/{id}/input_items` gives it.
struct ResponseItemPage {
    private let limit: Int
    private let order: Order
    /// The id of the item before the first one.
    private let after: String?

    private enum Order: String, CaseIterable {
        case ascending = "asc"
        case descending = "desc"
    }

    /// - Throws: `Failure` 400 that names the field.
    init(_ request: Request) throws(Failure) {
        limit = try request.query("limit", in: 1...100, default: 20)
        after = request.query("after")
        guard let order = Order(rawValue: request.query("order") ?? "desc") else {
            throw .invalid("'order' must be asc or desc.", parameter: "order")
        }
        self.order = order
    }

    /// The part of the items that is asked for.
    func items(of all: [JSON]) throws(Failure) -> (items: [JSON], hasMore: Bool) {
        var items: [JSON] = order == .ascending ? all : all.reversed()
        if let after {
            guard let place = items.firstIndex(where: { $0["id"] == .string(after) }) else {
                throw .invalid("'after': there is no item \(after.prefix(80)).", parameter: "after")
            }
            items.removeFirst(place + 1)
        }
        return (Array(items.prefix(limit)), items.count > limit)
    }

    static func json(_ items: [JSON], hasMore: Bool) -> JSON {
        [
            "object": "list", "data": .array(items), "first_id": items.first?["id"] ?? .null,
            "last_id": items.last?["id"] ?? .null, "has_more": .bool(hasMore),
        ]
    }
}
