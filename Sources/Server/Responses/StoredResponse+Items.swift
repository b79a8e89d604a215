import Assistant
import AssistantAPI
import FoundationEssentials
import HTTPTypes

extension StoredResponse {
    /// The items that were new with the request.
    ///
    /// - Throws: `Failure` for a record that is damaged.
    func inputItems() throws(Failure) -> [JSON] {
        guard case .array(let items) = try parsed(input) else { throw damaged }
        return items
    }

    func outputItems() throws(Failure) -> [JSON] {
        guard case .array(let items)? = try bodyJSON()["output"] else { throw damaged }
        return items
    }

    /// The response, without the files of its pictures.
    func bodyJSON() throws(Failure) -> JSON { try parsed(body) }

    private func parsed(_ text: String) throws(Failure) -> JSON {
        do {
            return try JSONParser.parse(Array(text.utf8))
        } catch {
            throw damaged
        }
    }

    private var damaged: Failure {
        Failure(
            .internalServerError, code: AssistantError.Code.storageFailed.rawValue,
            "The record of response \(id) is damaged.")
    }
}

extension PictureService {
    /// Items with the files of their pictures; those that are there no more have none.
    func filling(_ items: [JSON]) async -> [JSON] {
        var filled: [JSON] = []
        for item in items { filled.append(await filling(item)) }
        return filled
    }

    private func filling(_ item: JSON) async -> JSON {
        guard item["type"] == "image_generation_call", case .string(let name)? = item["id"],
            let id = ResponseItem.picture(ofItem: name), let file = try? await file(of: id)
        else { return item }
        return item.setting("result", .string(file.data.base64EncodedString()))
    }
}
