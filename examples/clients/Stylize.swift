// Paint a photograph like an artwork, with URLSession (iOS 15, macOS 12 or newer):
//
//     let painted = try await Stylize(url: service, key: key).paint(photo: jpeg, artwork: .name("stained-glass"))
//     imageView.image = UIImage(data: painted.picture)

import Foundation

/// What the service says when it refuses (RFC 9457): `type` is stable, `detail` says what to change.
struct Problem: Decodable {
    struct FieldError: Decodable {
        let field: String
        let message: String
    }

    let type: String
    let title: String
    let status: Int
    let detail: String
    let requestId: String
    let errors: [FieldError]?
}

enum StylizeError: Error {
    /// `problem` is nil where something on the way answered in the service's place.
    case refused(status: Int, problem: Problem?)
    case notHTTP
}

/// An artwork of one's own, or a name from the service's catalogue.
enum Artwork {
    case file(Data)
    case name(String)
}

struct Painted {
    let picture: Data
    let report: [String: String]
}

struct Stylize {
    var url = URL(string: "http://127.0.0.1:8080")!
    var key: String?
    var timeout: TimeInterval = 130
    var attempts = 5

    /// Paint, and try again while the service is busy. Cancelling the task ends the request, and frees its place.
    func paint(photo: Data, artwork: Artwork, options: [String: String] = [:]) async throws -> Painted {
        var form = Form()
        form.file("content", photo)
        switch artwork {
        case .file(let data): form.file("style", data)
        case .name(let name): form.text("style_name", name)
        }
        for (name, value) in options { form.text(name, value) }

        var request = URLRequest(url: url.appendingPathComponent("stylize"), timeoutInterval: timeout)
        request.httpMethod = "POST"
        request.setValue(form.contentType, forHTTPHeaderField: "Content-Type")
        if let key { request.setValue("Bearer \(key)", forHTTPHeaderField: "Authorization") }

        var attempt = 1
        while true {
            let (body, response) = try await URLSession.shared.upload(for: request, from: form.body)
            guard let answer = response as? HTTPURLResponse else { throw StylizeError.notHTTP }
            if answer.statusCode == 200 { return Painted(picture: body, report: report(of: answer)) }
            guard [429, 503].contains(answer.statusCode), attempt < attempts else {
                throw StylizeError.refused(status: answer.statusCode, problem: problem(in: body))
            }
            let seconds = answer.value(forHTTPHeaderField: "Retry-After").flatMap(Double.init) ?? pow(2, Double(attempt))
            try await Task.sleep(nanoseconds: UInt64(seconds * 1_000_000_000))
            attempt += 1
        }
    }

    private func problem(in body: Data) -> Problem? {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try? decoder.decode(Problem.self, from: body)
    }

    private func report(of answer: HTTPURLResponse) -> [String: String] {
        let names = ["X-Stylize-Seed", "X-Stylize-Backbone", "X-Stylize-Evaluations", "X-Stylize-Stopped",
                     "X-Request-ID", "Server-Timing"]
        return Dictionary(uniqueKeysWithValues: names.compactMap { name in
            answer.value(forHTTPHeaderField: name).map { (name, $0) }
        })
    }
}

/// multipart/form-data (RFC 7578).
private struct Form {
    private let boundary = UUID().uuidString
    private var parts = Data()

    var contentType: String { "multipart/form-data; boundary=\(boundary)" }
    var body: Data { parts + Data("--\(boundary)--\r\n".utf8) }

    mutating func text(_ name: String, _ value: String) { part("name=\"\(name)\"", Data(value.utf8)) }

    mutating func file(_ name: String, _ data: Data) { part("name=\"\(name)\"; filename=\"\(name)\"", data) }

    private mutating func part(_ disposition: String, _ data: Data) {
        parts += Data("--\(boundary)\r\nContent-Disposition: form-data; \(disposition)\r\n\r\n".utf8)
        parts += data
        parts += Data("\r\n".utf8)
    }
}
