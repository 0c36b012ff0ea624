import com.unboundid.ldap.listener.Base64PasswordEncoderOutputFormatter;
import com.unboundid.ldap.listener.InMemoryDirectoryServer;
import com.unboundid.ldap.listener.InMemoryDirectoryServerConfig;
import com.unboundid.ldap.listener.InMemoryListenerConfig;
import com.unboundid.ldap.listener.InMemoryPasswordEncoder;
import com.unboundid.ldap.listener.SaltedMessageDigestInMemoryPasswordEncoder;
import com.unboundid.ldap.sdk.OperationType;
import com.unboundid.ldap.sdk.schema.Schema;
import java.io.FileInputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.util.Properties;

/**
 * The embedded directory: UnboundID's in-memory server, listening on loopback alone (its own command line tool listens
 * on every interface), with its entries kept in an LDIF file. One argument: a properties file, because it holds the
 * password. The file of entries is replaced as a whole within a third of a second of a change, and at the end.
 */
public class LoopbackDirectory {

    private static final long EVERY_MILLISECONDS = 300;

    public static void main(String[] arguments) throws Exception {
        Properties given = new Properties();
        InputStream file = new FileInputStream(arguments[0]);
        given.load(file);
        file.close();
        final InMemoryDirectoryServer server = new InMemoryDirectoryServer(settings(given));
        final Path entries = Paths.get(given.getProperty("entries"), new String[0]);
        server.importFromLDIF(true, entries.toString());
        server.startListening();
        System.out.println("listening on port " + server.getListenPort());
        Runtime.getRuntime().addShutdownHook(new Thread() {
            public void run() {
                server.shutDown(true);
                keep(server, entries);
            }
        });
        String kept = lastChange(server);
        while (true) {
            Thread.sleep(EVERY_MILLISECONDS);
            String now = lastChange(server);
            if (!now.equals(kept) && keep(server, entries)) {
                kept = now;
            }
        }
    }

    private static InMemoryDirectoryServerConfig settings(Properties given) throws Exception {
        String base = given.getProperty("baseDN");
        InMemoryDirectoryServerConfig settings = new InMemoryDirectoryServerConfig(new String[] {base});
        InetAddress loopback = InetAddress.getByName("127.0.0.1");
        int port = Integer.parseInt(given.getProperty("port"));
        settings.setListenerConfigs(new InMemoryListenerConfig[] {
            new InMemoryListenerConfig("loopback", loopback, port, null, null, null)
        });
        settings.addAdditionalBindCredentials(given.getProperty("bindDN"), given.getProperty("password"));
        settings.setSchema(Schema.mergeSchemas(new Schema[] {
            Schema.getDefaultStandardSchema(), Schema.getSchema(new String[] {given.getProperty("schema")})
        }));
        settings.setEqualityIndexAttributes(given.getProperty("indexed").split(","));
        settings.setMaxChangeLogEntries(1000);
        settings.setPasswordEncoders(
            new SaltedMessageDigestInMemoryPasswordEncoder(
                "{SSHA256}", Base64PasswordEncoderOutputFormatter.getInstance(), MessageDigest.getInstance("SHA-256"), 8,
                true, true),
            new InMemoryPasswordEncoder[0]);
        settings.setAuthenticationRequiredOperationTypes(new OperationType[] {
            OperationType.ADD, OperationType.COMPARE, OperationType.DELETE, OperationType.MODIFY,
            OperationType.MODIFY_DN, OperationType.SEARCH
        });
        return settings;
    }

    private static String lastChange(InMemoryDirectoryServer server) throws Exception {
        return String.valueOf(server.getRootDSE().getAttributeValue("lastChangeNumber"));
    }

    /** Write all entries and put the file in place of the last one, so that it is never half a file. */
    private static synchronized boolean keep(InMemoryDirectoryServer server, Path entries) {
        try {
            Path making = Paths.get(entries + ".new", new String[0]);
            server.exportToLDIF(making.toString(), false, true);
            Files.move(making, entries, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            return true;
        } catch (Exception error) {
            System.out.println("the entries cannot be kept: " + error.getMessage());
            return false;
        }
    }
}
