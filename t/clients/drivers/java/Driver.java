// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors
import io.socket.client.Ack;
import io.socket.client.IO;
import io.socket.client.Socket;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import org.json.JSONArray;
import org.json.JSONObject;

/** The client of Socket.IO for Java, unmodified: see t/clients/Driver.pm. */
public class Driver {
	static final long BEGAN = System.currentTimeMillis();

	static synchronized void tell(String ev, Object... args) {
		try {
			JSONArray all = new JSONArray();
			for (Object arg : args)
				all.put(arg instanceof JSONObject || arg instanceof String ? arg : String.valueOf(arg));
			System.out.println(new JSONObject().put("t", System.currentTimeMillis() - BEGAN)
					.put("ev", ev).put("args", all));
			System.out.flush();
		} catch (Exception e) {
			throw new RuntimeException(e);
		}
	}

	static JSONObject message(String text) throws Exception {
		return new JSONObject().put("type", "message").put("source", "user").put("message", text);
	}

	/** The text of a refusal is in an object; that of other errors is their own. */
	static String text(Object[] args) {
		return args.length > 0 && args[0] instanceof JSONObject
				? ((JSONObject) args[0]).optString("message") : String.valueOf(args[0]);
	}

	public static void main(String[] argv) throws Exception {
		IO.Options options = new IO.Options();
		options.query = argv[1];
		options.forceNew = true;
		options.reconnectionDelay = 100;
		options.reconnectionDelayMax = 500;
		if (!argv[2].equals("default"))
			options.transports = new String[] {argv[2].equals("ws") ? "websocket" : "polling"};
		Socket socket = IO.socket(URI.create(argv[0]), options);
		Ack ack = args -> tell("ack", args);
		socket.on(Socket.EVENT_CONNECT, args -> tell("connect"));
		socket.on(Socket.EVENT_DISCONNECT, args -> tell("disconnect", args));
		socket.on(Socket.EVENT_CONNECT_ERROR, args -> tell("error", text(args)));
		socket.on("oh_event", args -> tell("event", args));
		socket.connect();
		BufferedReader lines = new BufferedReader(
				new InputStreamReader(System.in, StandardCharsets.UTF_8));
		for (String line; (line = lines.readLine()) != null; ) {
			String[] words = line.split(" ", 2);
			if (words[0].equals("say")) {
				socket.emit("oh_user_action", message(words[1]));
			} else if (words[0].equals("ack")) {
				socket.emit("oh_user_action", new Object[] {message(words[1])}, ack);
			} else if (words[0].equals("bin")) {
				byte[] bytes = new byte[Integer.parseInt(words[1])];
				socket.emit("other", new Object[] {bytes}, ack);
			} else if (words[0].equals("leave")) {
				socket.disconnect();
				Thread.sleep(300);
				System.exit(0);
			}
		}
		System.exit(0);
	}
}
