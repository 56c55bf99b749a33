"""The disease of a whole patient: its lesions, their quantities together, and the change between two scans."""
