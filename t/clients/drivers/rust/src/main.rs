// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors

//! The client of Socket.IO for Rust, unmodified: see t/clients/Driver.pm.
use rust_socketio::{ClientBuilder, Payload, RawClient, TransportType};
use serde_json::{json, Value};
use std::io::BufRead;
use std::time::{Duration, Instant};

fn tell(began: Instant, ev: &str, payload: &Payload) {
    let args = match payload {
        Payload::Text(values) => values.clone(),
        other => vec![Value::String(format!("{other:?}"))],
    };
    println!("{}", json!({"t": began.elapsed().as_millis() as u64, "ev": ev, "args": args}));
}

fn message(text: &str) -> Value {
    json!({"type": "message", "source": "user", "message": text})
}

fn main() {
    let began = Instant::now();
    let argv: Vec<String> = std::env::args().collect();
    let transport = match argv[3].as_str() {
        "ws" => TransportType::Websocket,
        "polling" => TransportType::Polling,
        _ => TransportType::Any,
    };
    let client = ClientBuilder::new(format!("{}/socket.io/?{}", argv[1], argv[2]))
        .transport_type(transport)
        .reconnect_on_disconnect(true)
        .reconnect_delay(100, 500)
        .on("open", move |p: Payload, _: RawClient| tell(began, "connect", &p))
        .on("close", move |p: Payload, _: RawClient| tell(began, "disconnect", &p))
        .on("error", move |p: Payload, _: RawClient| tell(began, "error", &p))
        .on("oh_event", move |p: Payload, _: RawClient| tell(began, "event", &p))
        .connect();
    let client = match client {
        Ok(client) => client,
        Err(e) => {
            println!("{}", json!({"t": 0, "ev": "error", "args": [e.to_string()]}));
            return;
        }
    };
    let wait = Duration::from_secs(60);
    let ack = move |p: Payload, _: RawClient| tell(began, "ack", &p);
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let sent = match word {
            "say" => client.emit("oh_user_action", message(rest)),
            "ack" => client.emit_with_ack("oh_user_action", message(rest), wait, ack),
            "bin" => {
                let bytes = vec![0u8; rest.parse().unwrap_or(0)];
                client.emit_with_ack("other", bytes, wait, ack)
            }
            "leave" => {
                let _ = client.disconnect();
                std::thread::sleep(Duration::from_millis(300));
                std::process::exit(0);
            }
            _ => Ok(()),
        };
        if let Err(e) = sent {
            println!("{}", json!({"t": 0, "ev": "unsent", "args": [e.to_string()]}));
        }
    }
}
